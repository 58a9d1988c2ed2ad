// R40: clients of the HTTP server do not pay for what other clients do, and none takes half an
// answer for a whole one.
#include <atomic>
#include <thread>

#include "ipnscast/nostr/net/http/http_get.h"
#include "ipnscast/nostr/net/loop.h"
#include "ipnscast/nostr/net/websocket_server.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/raw_client.h"

using namespace ipnscast;
using namespace ipnscast::nostr::net;
using namespace ipnscast::test;
using namespace std::chrono_literals;

namespace {

constexpr char kOther[] = "127.0.0.2";

const std::string kGet = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const std::string kUpgrade =
    "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

// Says who asked.
void answer_with_peer(const HttpRequest& request, const std::shared_ptr<HttpReply>& reply) {
  reply->send({200, {}, to_bytes(std::string_view("peer=" + request.peer + ";"))});
}

bool is_answered(RawClient& client) {
  return client.read("peer=").find("HTTP/1.1 200") != std::string::npos;
}

}  // namespace

TEST_CASE("R40: a newcomer whose address has no place left costs nobody else a connection") {
  auto loop = *Loop::start();
  ServerHandlers handlers{.http = answer_with_peer};
  handlers.frame = [](ServerConnectionId, const std::string&) { return true; };
  auto server = *nostr::net::listen(*loop, {.max_connections_per_address = 2}, std::move(handlers));
  std::vector<RawClient> greedy;
  for (int i = 0; i < 2; ++i) {
    greedy.emplace_back(server->port(), kOther);
    greedy.back().send(kUpgrade);
    REQUIRE(greedy.back().read("\r\n\r\n").find("101") != std::string::npos);
  }
  RawClient slow(server->port());
  slow.send(kGet.substr(0, 10));
  for (int i = 0; i < 5; ++i) {
    RawClient refused(server->port(), kOther);
    refused.read();
    CHECK(refused.ended());
  }
  slow.send(kGet.substr(10));
  CHECK(is_answered(slow));
}

TEST_CASE("R40: when all places are taken, who has idled longest gives way and not who knocks") {
  auto loop = *Loop::start();
  auto server =
      *nostr::net::listen(*loop, {.max_http_connections = 4, .max_http_connections_per_address = 3},
                          {.http = answer_with_peer});
  std::vector<RawClient> hoard;
  for (int i = 0; i < 3; ++i) {
    hoard.emplace_back(server->port(), kOther);
    hoard.back().send(kGet);
    REQUIRE(is_answered(hoard.back()));
  }
  RawClient first(server->port());
  first.send(kGet);
  REQUIRE(is_answered(first));
  RawClient second(server->port());
  second.send(kGet);
  CHECK(is_answered(second));
  first.send(kGet);
  CHECK(is_answered(first));
  hoard.front().read();
  CHECK(hoard.front().ended());
}

TEST_CASE("R38: tasks that never cease to be posted keep no socket waiting") {
  auto loop = *Loop::start();
  auto server = *nostr::net::listen(*loop, {}, {.http = answer_with_peer});
  std::atomic<bool> over = false;
  std::function<void()> again = [&] {
    if (!over) loop->post(again);
  };
  loop->post(again);
  RawClient client(server->port());
  client.send(kGet);
  CHECK(is_answered(client));
  over = true;
  loop->run([] {});
}

TEST_CASE("R20: an answer that is cut cannot be taken for whole by a client of HTTP/1.0 either") {
  auto loop = *Loop::start();
  auto server = *nostr::net::listen(
      *loop, {}, {.http = [](const HttpRequest& request, const std::shared_ptr<HttpReply>& reply) {
        reply->begin(200, {});
        reply->write(Bytes(1000, uint8_t{'a'}));
        if (request.path == "/whole") return reply->finish();
        if (request.path == "/cut") return reply->abort();
      }});
  const auto ask = [&](const std::string& path) {
    RawClient client(server->port());
    client.send("GET " + path + " HTTP/1.0\r\n\r\n");
    client.read();
    REQUIRE(client.ended());
    return client.was_reset();
  };
  CHECK_FALSE(ask("/whole"));
  CHECK(ask("/cut"));
  CHECK(ask("/forgotten"));
}

TEST_CASE("R40: a chunked body has as much room as one whose length is told") {
  auto loop = *Loop::start();
  constexpr size_t kMost = 1'000'000;
  auto server = *nostr::net::listen(
      *loop, {.max_body_bytes = kMost, .max_held_bodies_per_address = kMost + kMost / 10},
      {.http = [](const HttpRequest& request, const std::shared_ptr<HttpReply>& reply) {
        reply->send({200, {}, to_bytes(std::string_view(std::to_string(request.body.size())))});
      }});
  RawClient client(server->port());
  client.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 20; ++i) client.send("c350\r\n" + std::string(50'000, 'x') + "\r\n");
  client.send("0\r\n\r\n");
  const std::string answer = client.read("1000000");
  CHECK(answer.find("HTTP/1.1 200") == 0);
  CHECK(answer.find("1000000") != std::string::npos);
}

TEST_CASE("R40: a request that begins after a long pause has as much time as the first") {
  auto loop = *Loop::start();
  auto server = *nostr::net::listen(*loop, {}, {.http = answer_with_peer});
  RawClient client(server->port());
  client.send(kGet);
  REQUIRE(is_answered(client));
  std::this_thread::sleep_for(10'500ms);  // more than a head may take
  client.send("\r\n" + kGet.substr(0, 10));
  CHECK(client.read({}, 2500ms).empty());
  REQUIRE_FALSE(client.ended());
  client.send(kGet.substr(10));
  CHECK(is_answered(client));
}

TEST_CASE("R38: a refusal says why, whatever request came before it") {
  auto loop = *Loop::start();
  auto server = *nostr::net::listen(*loop, {}, {.http = answer_with_peer});
  RawClient client(server->port());
  client.send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\nBAD\r\n\r\n");
  const std::string all = client.read();
  const size_t refusal = all.find("HTTP/1.1 400");
  REQUIRE(refusal != std::string::npos);
  const size_t body = all.find("\r\n\r\n", refusal);
  REQUIRE(body != std::string::npos);
  CHECK(all.size() > body + 4);
}

TEST_CASE("R40: a client of IPv4 is known by its own address on a port of both families") {
  auto loop = *Loop::start();
  auto server = nostr::net::listen(*loop, {.address = "::"}, {.http = answer_with_peer});
  if (!server) return;  // a machine without IPv6
  RawClient client((*server)->port());
  client.send(kGet);
  CHECK(client.read(";").find("peer=127.0.0.1;") != std::string::npos);
}

TEST_CASE("a document is read to its end, whatever its chunks look like") {
  auto loop = *Loop::start();
  std::thread writer;
  auto server = *nostr::net::listen(
      *loop, {}, {.http = [&](const HttpRequest&, const std::shared_ptr<HttpReply>& reply) {
        writer = std::thread([reply] {
          reply->begin(200, {});
          reply->write(to_bytes(std::string_view("\r\n0\r\n\r\n12345678")));
          std::this_thread::sleep_for(300ms);  // the client sees so much, and no more yet
          reply->write(to_bytes(std::string_view("the end")));
          reply->finish();
        });
      }});
  const Patience patience{std::chrono::steady_clock::now() + 30s, [] { return false; }};
  const auto url = *nostr::RelayUrl::parse("ws://127.0.0.1:" + std::to_string(server->port()));
  auto stream = *RawStream::connect("127.0.0.1", server->port(), NamedBy::configuration, patience);
  const auto answer = http_get(stream, url, "", false, 1000, patience);
  writer.join();
  REQUIRE(answer);
  CHECK(answer->body == "\r\n0\r\n\r\n12345678the end");
}
