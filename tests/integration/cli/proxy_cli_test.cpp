// Every command that speaks to relays, behind a proxy that alone knows their name.
#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>

#include "ipnscast/bridge/node/node_server.h"
#include "ipnscast/nostr/server/relay_server.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/name_proxy.h"
#include "ipnscast/tests/support/places.h"
#include "ipnscast/tests/support/process.h"
#include "ipnscast/tests/support/temp_dir.h"

namespace ipnscast {
namespace {

using nlohmann::json;
using test::Command;
using test::Process;
using test::Ran;
namespace fs = std::filesystem;

constexpr Seconds kSoon(60);

// A relay that is called relay.onion, and a person who knows the way there.
class World {
 public:
  World() {
    nostr::server::RelayServerOptions relay;
    relay.port = 0;
    relay_ = std::move(*nostr::server::RelayServer::start(*loop_, relay));
    bridge::NodeOptions node;
    node.gateway_port = 0;
    node.rpc_port = 0;
    node_ = std::move(*bridge::Node::start(*loop_, node));
    host_ = "relay.onion:" + std::to_string(relay_->port());
    REQUIRE(run({"init", "--relay", "ws://" + host_, "--node", node_->gateway_url(), "--node",
                 node_->rpc_url()})
                .exit == 0);
  }

  Command command(std::vector<std::string> arguments) {
    Command out;
    out.argv = {test::program()};
    out.argv.insert(out.argv.end(), arguments.begin(), arguments.end());
    out.environment = {{"HOME", home_.path().string()},
                       {"XDG_CONFIG_HOME", (home_.path() / "config").string()},
                       {"XDG_STATE_HOME", (home_.path() / "state").string()},
                       {"XDG_DATA_HOME", (home_.path() / "data").string()},
                       {"XDG_CACHE_HOME", (home_.path() / "cache").string()},
                       {"IPNSCAST_RELAYS_PROXY", proxy_.url()}};
    return out;
  }
  Ran run(std::vector<std::string> arguments, std::string input = {}) {
    Command one = command(std::move(arguments));
    one.input = std::move(input);
    return test::run(one, kSoon);
  }
  // Somebody has asked the proxy for the relay, and for nothing else, since the last time.
  bool went_through_the_proxy() {
    const auto asked = proxy_.take_asked();
    return !asked.empty() && std::all_of(asked.begin(), asked.end(),
                                         [this](const auto& one) { return one == host_; });
  }
  const fs::path& home() const { return home_.path(); }
  const std::string& host() const { return host_; }

 private:
  test::TempDir home_;
  test::NameProxy proxy_;
  std::unique_ptr<nostr::net::Loop> loop_ = std::move(*nostr::net::Loop::start());
  std::unique_ptr<nostr::server::RelayServer> relay_;
  std::unique_ptr<bridge::Node> node_;
  std::string host_;
};

TEST_CASE("publish, announce, watch and event reach relays through the proxy only") {
  World world;
  std::ofstream(world.home() / "page.txt") << "one";
  const Ran published =
      world.run({"publish", "self", (world.home() / "page.txt").string(), "--json"});
  INFO(published.err);
  REQUIRE(published.exit == 0);
  const json outcome = json::parse(published.out);
  CHECK(outcome["relays_acknowledged"] == 1);
  CHECK(world.went_through_the_proxy());

  const Ran watched = world.run({"watch", outcome["name"], "--once", "--json"});
  INFO(watched.err);
  CHECK(watched.exit == 0);
  CHECK(world.went_through_the_proxy());

  CHECK(world.run({"announce", "self", outcome["cid"], "--sequence", "1"}).exit == 0);
  CHECK(world.went_through_the_proxy());

  const Ran asked = world.run({"event", "req", R"({"kinds":[30078]})"});
  CHECK(asked.exit == 0);
  CHECK(asked.out.find("ipns-sync-") != std::string::npos);
  CHECK(world.went_through_the_proxy());

  CHECK(world.run({"event", "publish"}, asked.out).exit == 0);
  CHECK(world.went_through_the_proxy());
  CHECK(
      world.run({"resolve", json::parse(world.run({"key", "show", "--json"}).out)["npub"]}).exit ==
      0);
  CHECK(world.went_through_the_proxy());
}

TEST_CASE("a relay is probed through the proxy, its information document included") {
  World world;
  const Ran probed = world.run({"relay", "probe", "--json"});
  INFO(probed.out << probed.err);
  CHECK(probed.exit == 0);
  const json information = json::parse(probed.out)["nip11"];
  CHECK(information.is_object());
  CHECK_FALSE(information.contains("problem"));
  CHECK(world.went_through_the_proxy());

  // Without a proxy the name must not be looked up at all.
  Command direct = world.command({"relay", "probe", "--json"});
  direct.environment["IPNSCAST_RELAYS_PROXY"] = "";
  const Ran refused = test::run(direct, kSoon);
  CHECK(refused.exit == 3);
  CHECK((refused.out + refused.err).find("through Tor only") != std::string::npos);
}

TEST_CASE("a bridge announces through the proxy") {
  World world;
  std::ofstream(world.home() / "page.txt") << "one";
  const Ran published =
      world.run({"publish", "self", (world.home() / "page.txt").string(), "--json", "--state",
                 (world.home() / "state" / "ipnscast").string()});
  REQUIRE(published.exit == 0);
  CHECK(world.went_through_the_proxy());
  Command command = world.command({"bridge", "--json"});
  command.environment["IPNSCAST_BRIDGE_NAMES"] = json::parse(published.out)["name"];
  Process bridge(command);
  REQUIRE(bridge.wait_for_line("\"change\"", kSoon));
  // The same key, so the relay has both events of the bridge only once it has sent them.
  const auto deadline = std::chrono::steady_clock::now() + kSoon;
  Ran asked;
  do {
    asked = world.run({"event", "req", R"({"kinds":[30079]})"});
    REQUIRE(std::chrono::steady_clock::now() < deadline);
  } while (asked.out.empty());
  CHECK(world.went_through_the_proxy());
  bridge.signal(SIGINT);
  const auto ended = bridge.wait(kSoon);
  REQUIRE(ended);
  CHECK(ended->exit == 0);
}

}  // namespace
}  // namespace ipnscast
