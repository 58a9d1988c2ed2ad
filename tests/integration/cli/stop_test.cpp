// R38: SIGTERM ends what stays running, whatever its clients do at that moment.
#include <csignal>
#include <nlohmann/json.hpp>

#include "ipnscast/sync/keys/key_store.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/raw_client.h"
#include "ipnscast/tests/support/gateways/raw_http.h"
#include "ipnscast/tests/support/places.h"
#include "ipnscast/tests/support/process.h"
#include "ipnscast/tests/support/temp_dir.h"

namespace ipnscast::test {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr auto kSoon = 60s;
// Two seconds on an idle machine. A program that hangs is what this tells from one that is slow.
constexpr auto kEnd = 20s;
const char* const kName = "k51qzi5uqu5dhbucpoao44lx7txki8bokz8n2cucag2rl87ahq2hv090gg5pnm";

Command command(const fs::path& home, std::vector<std::string> arguments) {
  Command out;
  out.argv = {test::program()};
  out.argv.insert(out.argv.end(), arguments.begin(), arguments.end());
  out.environment = {{"XDG_CONFIG_HOME", (home / "config").string()},
                     {"XDG_STATE_HOME", (home / "state").string()},
                     {"XDG_DATA_HOME", (home / "data").string()},
                     {"XDG_CACHE_HOME", (home / "cache").string()}};
  return out;
}

// Clients at their worst, on every port: half a request, half a body, an answer that is not read,
// requests behind requests, and garbage.
std::vector<RawClient> trouble(const std::vector<uint16_t>& ports) {
  const std::string pipelined =
      "GET / HTTP/1.1\r\nHost: x\r\n\r\nPOST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nz";
  std::string many;
  for (int i = 0; i < 2000; ++i) many += "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::string upgrade =
      "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  const std::vector<std::string> all = {
      "",
      "GET / HT",
      pipelined,
      pipelined + pipelined + "POST",
      many,
      "POST /api/v0/dag/import HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\nhalf",
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
      upgrade + "\x81\xff\x01",
      std::string(5000, '\xff')};
  std::vector<RawClient> out;
  for (const uint16_t port : ports) {
    for (const std::string& bytes : all) {
      for (int i = 0; i < 3; ++i) {
        out.emplace_back(port);
        out.back().send_now(bytes);
      }
    }
  }
  // What was sent has been read when later clients are answered.
  for (const uint16_t port : ports) {
    RawClient client(port);
    client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    CHECK(count_answers(client.read()) == 1);
  }
  return out;
}

std::string ready_line(Process& process) {
  const auto line = process.wait_for_line("{", kSoon);
  INFO(process.output());
  REQUIRE(line);
  return *line;
}

void ends_on_sigterm(Process& process) {
  process.signal(SIGTERM);
  const auto ended = process.wait(kEnd);
  INFO(process.output());
  REQUIRE(ended);
  CHECK(ended->exit == 0);
}

}  // namespace

TEST_CASE("R38: SIGTERM ends up with half-open, stuck and pipelining clients on every port") {
  const TempDir home;
  Command up = command(home.path(), {"up", "--json", "--port-base", "0"});
  up.environment["IPNSCAST_BRIDGE_NAMES"] = kName;
  Process process(up);
  const json ready = json::parse(ready_line(process));
  std::vector<uint16_t> ports;
  for (const char* const which : {"relay", "gateway", "rpc", "metrics"})
    ports.push_back(port_of(ready.at(which)));
  const auto clients = trouble(ports);
  ends_on_sigterm(process);
}

TEST_CASE("R38: SIGTERM ends relay serve with such clients") {
  const TempDir home;
  Process process(command(home.path(), {"--json", "relay", "serve", "--listen", "127.0.0.1:0"}));
  const auto clients = trouble({port_of(json::parse(ready_line(process)).at("url"))});
  ends_on_sigterm(process);
}

TEST_CASE("R38: SIGTERM ends the bridge with such clients on its metrics port") {
  const TempDir home;
  REQUIRE(sync::KeyStore(home.path() / "state/ipnscast/keys")
              .add("self", sync::StoredKey::generate(sync::StoredKeyType::nostr)));
  Command bridge = command(home.path(), {"bridge"});
  bridge.environment["IPNSCAST_BRIDGE_NAMES"] = kName;
  bridge.environment["IPNSCAST_RELAYS_URLS"] = "ws://127.0.0.1:1";
  bridge.environment["IPNSCAST_GATEWAYS_NODES"] = "http://127.0.0.1:1";
  bridge.environment["IPNSCAST_HTTP_METRICS"] = "127.0.0.1:0";
  Process process(bridge);
  const auto line = process.wait_for_line("metrics at http://127.0.0.1:", kSoon);
  INFO(process.output());
  REQUIRE(line);
  const auto clients = trouble({port_of(*line)});
  ends_on_sigterm(process);
}

}  // namespace ipnscast::test
