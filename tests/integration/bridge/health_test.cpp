#include <functional>
#include <thread>

#include "ipnscast/bridge/bridge.h"
#include "ipnscast/bridge/http/metrics_server.h"
#include "ipnscast/nostr/nip/local_signer.h"
#include "ipnscast/nostr/server/relay_server.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/raw_http.h"
#include "ipnscast/tests/support/gateways/scripted_http_server.h"
#include "ipnscast/tests/support/temp_dir.h"

using namespace ipnscast;

namespace {

constexpr Seconds kSoon{200};

std::string health(const bridge::MetricsServer& server) {
  const std::string url = server.url();
  return test::raw_http(test::port_of(url),
                        "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
}

bool reached(const std::function<bool()>& done) {
  const Instant end = std::chrono::steady_clock::now() + kSoon;
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(Milliseconds(20));
  }
  return true;
}

}  // namespace

TEST_CASE(
    "/health says what is wrong for as long as it is (G3), and each source's health (S0-55, "
    "S0-57)") {
  const test::TempDir state;
  const auto loop = std::move(*nostr::net::Loop::start());
  auto gateway = std::make_unique<test::ScriptedHttpServer>([](const test::ScriptedRequest&) {
    return test::ScriptedAnswer{.status = 404, .body = "no"};
  });
  auto relay = *nostr::server::RelayServer::start(*loop, {.port = 0});
  bridge::BridgeOptions options;
  options.state_dir = state.path();
  options.relays = {*nostr::RelayUrl::parse(relay->url())};
  options.gateways = {{gateway->url()}};
  options.names = {sync::IpnsName::from_key({sync::KeyType::ed25519, Bytes(32, 1)})};
  options.signer = nostr::make_local_signer(nostr::SecretKey::generate());
  options.poll_min = Milliseconds(50);
  options.poll_max = Milliseconds(100);
  const auto bridge = *bridge::Bridge::open(std::move(options));
  const auto server =
      *bridge::MetricsServer::start(*loop, {.port = 0}, [&] { return bridge->telemetry(); });
  CHECK(reached([&] { return health(*server).find("200 ") != std::string::npos; }));
  CHECK(bridge->telemetry().metrics.sources.size() == 2);

  gateway->stop();
  CHECK(reached(
      [&] { return health(*server).find("no gateway has answered") != std::string::npos; }));
  CHECK(health(*server).find("503 ") != std::string::npos);
  CHECK(health(*server).find("no relay") == std::string::npos);

  relay.reset();
  CHECK(
      reached([&] { return health(*server).find("no relay is connected") != std::string::npos; }));
  const auto sources = bridge->telemetry().metrics.sources;
  CHECK(std::none_of(sources.begin(), sources.end(),
                     [](const auto& source) { return source.kind == "relay" && source.up; }));
  CHECK(bridge::telemetry_text(bridge->telemetry()).find("ipnscast_source_up{kind=\"relay\"") !=
        std::string::npos);
}
