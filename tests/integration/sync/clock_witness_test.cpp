// Who tells what the time is: our gateways and relays, over real sockets.
#include "ipnscast/nostr/base/clock_witness.h"

#include <unistd.h>

#include <thread>

#include "ipnscast/nostr/base/http_date.h"
#include "ipnscast/nostr/pool/pool.h"
#include "ipnscast/nostr/server/relay_server.h"
#include "ipnscast/sync/gateway/http_client.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/scripted_http_server.h"
#include "ipnscast/tests/support/relays/net_peers.h"

using namespace ipnscast;
using ipnscast::test::ScriptedAnswer;
using ipnscast::test::ScriptedHttpServer;
using ipnscast::test::ScriptedRequest;

namespace {

constexpr int64_t kThreeDays = 3 * 86'400;

std::string date_in(int64_t seconds) { return http_date({system_now().seconds().value + seconds}); }

// Whether the witness says so, give or take a minute.
bool is_ahead(const ClockWitness& witness, int64_t seconds) {
  const auto offset = witness.offset(system_now());
  return offset && *offset > Seconds(seconds - 60) && *offset < Seconds(seconds + 60);
}

}  // namespace

TEST_CASE("what our gateways say the time is, is known from any answer of theirs") {
  std::vector<std::pair<std::string, std::string>> headers = {{"Date", date_in(kThreeDays)}};
  int status = 404;
  ScriptedHttpServer server([&](const ScriptedRequest&) {
    return ScriptedAnswer{.status = status, .headers = headers, .body = "x"};
  });
  const auto witness = std::make_shared<ClockWitness>();
  const auto http = *sync::gateway::HttpClient::open({.witness = witness});
  REQUIRE(http->fetch({.url = server.url()}));
  CHECK(is_ahead(*witness, kThreeDays));
  headers = {{"Date", date_in(-100)}};
  status = 200;
  REQUIRE(http->fetch({.url = server.url()}));
  CHECK(is_ahead(*witness, -100));
}

TEST_CASE("neither a cache, nor a stranger whom a gateway sends us to, tells the time") {
  ScriptedHttpServer stranger([](const ScriptedRequest&) {
    return ScriptedAnswer{.headers = {{"Date", date_in(kThreeDays)}}, .body = "x"};
  });
  std::vector<std::pair<std::string, std::string>> headers;
  int status = 200;
  ScriptedHttpServer server([&](const ScriptedRequest&) {
    return ScriptedAnswer{.status = status, .headers = headers, .body = "x"};
  });
  const auto witness = std::make_shared<ClockWitness>();
  const auto http = *sync::gateway::HttpClient::open({.witness = witness});
  headers = {{"Date", date_in(-kThreeDays)}, {"Age", "259200"}};
  REQUIRE(http->fetch({.url = server.url()}));
  CHECK_FALSE(witness->offset(system_now()));
  headers = {{"Date", "now"}};
  REQUIRE(http->fetch({.url = server.url()}));
  CHECK_FALSE(witness->offset(system_now()));
  headers = {{"Location", stranger.url()}};
  status = 302;
  (void)http->fetch({.url = server.url()});
  CHECK_FALSE(witness->offset(system_now()));
}

TEST_CASE("a relay of ours tells the time with its information document") {
  const auto loop = *nostr::net::Loop::start();
  const auto relay = *nostr::server::RelayServer::start(*loop, {.port = 0});
  const auto witness = std::make_shared<ClockWitness>();
  const auto pool = nostr::Pool::start(
      *loop, {.relays = {*nostr::RelayUrl::parse(relay->url())}, .witness = witness});
  while (!witness->offset(system_now())) std::this_thread::sleep_for(Milliseconds(5));
  CHECK(is_ahead(*witness, 0));
}

TEST_CASE("a relay of ours tells the time when it accepts us") {
  const auto loop = *nostr::net::Loop::start();
  const auto witness = std::make_shared<ClockWitness>();
  const test::RawListener listener;
  std::thread peer([&] {
    const int fd = listener.accept();
    const std::string request = test::read_until(fd, "\r\n\r\n");
    test::write_all(fd, test::websocket_answer(request, "Date: " + date_in(kThreeDays) + "\r\n"));
    (void)test::read_until(fd, "nothing");
    ::close(fd);
  });
  {
    test::Probe probe(*loop, listener.url(), {.witness = witness});
    CHECK(probe.next().what == "opened");
    CHECK(is_ahead(*witness, kThreeDays));
  }
  peer.join();
}
