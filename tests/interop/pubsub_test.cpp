// IPNS over pubsub between real Kubo nodes, as an input of our bridge.
#include <csignal>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/raw_http.h"
#include "ipnscast/tests/support/peers.h"
#include "ipnscast/tests/support/skip.h"
#include "ipnscast/tests/support/temp_dir.h"

using namespace ipnscast::test;
namespace fs = std::filesystem;

namespace {

void use_pubsub(KuboNode& kubo) {
  kubo.ask({"config", "--json", "Pubsub.Enabled", "true"});
  kubo.ask({"config", "--json", "Ipns.UsePubsub", "true"});
}

void wait_for(const std::function<bool()>& done) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!done()) {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

std::string toml_text(const std::string& text) { return nlohmann::json(text).dump(); }

// A Kubo that publishes and one that we have, connected, both with pubsub.
struct TwoNodes {
  explicit TwoNodes(const fs::path& folder) : publisher(folder), node(folder) {
    use_pubsub(publisher);
    use_pubsub(node);
    publisher.start();
    node.start();
    const std::string address = publisher.ask({"id", "-f", "<addrs>"});
    node.ask({"swarm", "connect", address.substr(0, address.find('\n'))});
    const std::string listed = publisher.ask({"key", "list", "-l", "--ipns-base=base36"});
    name = listed.substr(0, listed.find(' '));
  }
  // A publisher that joins the topic only to publish is not heard before it says the record again,
  // a minute later; one that is in it already is heard at once.
  void join() {
    publisher.ipfs({"name", "resolve", "--nocache", "--timeout=1s", name});
    const std::string topic = node.ask({"pubsub", "ls"});
    const std::string id = node.ask({"id", "-f", "<id>"});
    wait_for([&] {
      return publisher.ask({"pubsub", "peers", topic}).find(id) != std::string::npos;
    });
  }
  void publish(const std::string& cid) {
    publisher.ask({"name", "publish", "--allow-offline", "/ipfs/" + cid});
  }

  KuboNode publisher;
  KuboNode node;
  std::string name;
};

// A configuration and a state directory.
struct Place {
  explicit Place(const std::string& config) { std::ofstream(dir.path() / "config.toml") << config; }
  Command command(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--config", (dir.path() / "config.toml").string(), "--state",
                                       (dir.path() / "state").string()});
    return our_program(std::move(arguments));
  }
  TempDir dir;
};

}  // namespace

TEST_CASE("what one Kubo publishes, another hears by pubsub and our bridge announces (S0-29)") {
  const auto folder = peer("kubo");
  if (!folder) SKIP_TEST(folder.error());
  TwoNodes nodes(*folder);
  // Polls are hours apart, and only the hearing node is asked, so that all but the first poll has
  // to come by pubsub.
  const Place place("[relays]\nurls = [\"ws://127.0.0.1:1\"]\n[gateways]\nnodes = [" +
                    toml_text(nodes.node.rpc()) + "]\n[bridge]\nnames = [" + toml_text(nodes.name) +
                    "]\npoll = \"2h to 3h\"\n[http]\nmetrics = \"127.0.0.1:0\"\n");
  REQUIRE(run(place.command({"key", "generate", "self"})).exit == 0);
  Process bridging(place.command({"bridge"}));
  INFO("bridge: " << bridging.output());
  const auto metrics = bridging.wait_for_line("metrics at http://", std::chrono::seconds(60));
  REQUIRE(metrics);
  const auto port = ipnscast::test::port_of(*metrics);
  wait_for([&] {
    const std::string page =
        raw_http(port, "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    return page.find("\nipnscast_bridge_pubsub_topics 1\n") != std::string::npos;
  });
  // The node is in the topic for itself, too: our subscription did not stand in its way.
  CHECK(nodes.node.ask({"name", "pubsub", "subs"}).find(nodes.name) != std::string::npos);
  nodes.join();

  const std::string cids[] = {"bafkqaaa", "bafkqabdbmjrwi"};
  for (size_t i = 0; i < 2; ++i) {
    nodes.publish(cids[i]);
    const std::string heard = nodes.name + ": sequence " + std::to_string(i + 1) + " from " +
                              nodes.node.rpc() + " (pubsub)";
    CHECK(bridging.wait_for_line(heard, std::chrono::seconds(30)));
    const auto announced = bridging.wait_for_line("/ipfs/" + cids[i], std::chrono::seconds(60));
    REQUIRE(announced);
    CHECK(announced->find("change  " + nodes.name) != std::string::npos);
  }

  bridging.signal(SIGINT);
  const auto ended = bridging.wait(std::chrono::seconds(20));
  REQUIRE(ended);
  CHECK(ended->exit == 0);
}

TEST_CASE(
    "without any relay and any bridge a client hears by pubsub at its own Kubo what another "
    "publishes (S0-29, S0-32, S0-75)") {
  const auto folder = peer("kubo");
  if (!folder) SKIP_TEST(folder.error());
  TwoNodes nodes(*folder);
  const Place place("[gateways]\nnodes = [" + toml_text(nodes.node.rpc()) + "]\n[sources]\n" +
                    "poll_min = \"2h\"\npoll_max = \"2h\"\npoll_healthy = \"2h\"\n");
  nodes.publish("bafkqaaa");
  // Found by the node itself, which asks the other one.
  REQUIRE(nodes.node.ask({"name", "resolve", "--nocache", nodes.name}) == "/ipfs/bafkqaaa");
  Process watching(place.command({"watch", nodes.name, "--json"}));
  INFO("watch: " << watching.output());
  REQUIRE(watching.wait_for_line("bafkqaaa", std::chrono::seconds(60)));
  wait_for([&] {
    return nodes.node.ask({"name", "pubsub", "subs"}).find(nodes.name) != std::string::npos;
  });
  nodes.join();
  for (const std::string cid : {"bafkqabdbmjrwi", "bafkqabdbmjrwk"}) {
    nodes.publish(cid);
    const auto change = watching.wait_for_line(cid, std::chrono::seconds(60));
    REQUIRE(change);
    CHECK(nlohmann::json::parse(*change).at("source") == "pubsub");
  }
}

TEST_CASE("a Kubo whose pubsub is off is told once, and the bridge polls it") {
  const auto folder = peer("kubo");
  if (!folder) SKIP_TEST(folder.error());
  KuboNode node(*folder);
  node.start(true);
  const std::string listed = node.ask({"key", "list", "-l", "--ipns-base=base36"});
  const Place place("[relays]\nurls = [\"ws://127.0.0.1:1\"]\n[gateways]\nnodes = [" +
                    toml_text(node.rpc()) + ", " + toml_text(node.gateway()) +
                    "]\n[bridge]\nnames = [" + toml_text(listed.substr(0, listed.find(' '))) +
                    "]\npoll = \"200ms to 500ms\"\n[http]\nmetrics = \"\"\n");
  REQUIRE(run(place.command({"key", "generate", "self"})).exit == 0);
  Process bridging(place.command({"bridge"}));
  INFO("bridge: " << bridging.output());
  REQUIRE(bridging.wait_for_line(node.rpc() + ": not offered, polling only: experimental pubsub",
                                 std::chrono::seconds(60)));
  node.ask({"name", "publish", "--allow-offline", "/ipfs/bafkqaaa"});
  CHECK(bridging.wait_for_line("change  ", std::chrono::seconds(60)));
  bridging.signal(SIGINT);
  REQUIRE(bridging.wait(std::chrono::seconds(20)));
  CHECK(bridging.output().find(node.gateway() + ": not offered") == std::string::npos);
}
