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

std::string quoted(const std::string& text) { return nlohmann::json(text).dump(); }

}  // namespace

TEST_CASE("what one Kubo publishes, another hears by pubsub and our bridge announces (S0-29)") {
  const auto folder = peer("kubo");
  if (!folder) SKIP_TEST(folder.error());
  KuboNode publisher(*folder);
  KuboNode node(*folder);
  use_pubsub(publisher);
  use_pubsub(node);
  publisher.start();
  node.start();
  const std::string address = publisher.ask({"id", "-f", "<addrs>"});
  node.ask({"swarm", "connect", address.substr(0, address.find('\n'))});
  const std::string listed = publisher.ask({"key", "list", "-l", "--ipns-base=base36"});
  const std::string name = listed.substr(0, listed.find(' '));

  // Polls are hours apart, and only the hearing node is asked, so that all but the first poll has
  // to come by pubsub.
  const TempDir dir;
  std::ofstream(dir.path() / "config.toml")
      << "[relays]\nurls = [\"ws://127.0.0.1:1\"]\n[gateways]\nnodes = [" << quoted(node.rpc())
      << "]\n[bridge]\nnames = [" << quoted(name)
      << "]\npoll = \"2h to 3h\"\n[http]\nmetrics = \"127.0.0.1:0\"\n";
  const std::vector<std::string> place = {"--config", (dir.path() / "config.toml").string(),
                                          "--state", (dir.path() / "state").string()};
  const auto with = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), place.begin(), place.end());
    return our_program(arguments);
  };
  REQUIRE(run(with({"key", "generate", "self"})).exit == 0);
  Process bridging(with({"bridge"}));
  INFO("bridge: " << bridging.output());
  const auto metrics = bridging.wait_for_line("metrics at http://", std::chrono::seconds(60));
  REQUIRE(metrics);
  const auto port = static_cast<uint16_t>(std::stoi(metrics->substr(metrics->rfind(':') + 1)));
  wait_for([&] {
    const std::string page =
        raw_http(port, "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    return page.find("\nipnscast_bridge_pubsub_topics 1\n") != std::string::npos;
  });
  // The node is in the topic for itself, too: our subscription did not stand in its way.
  CHECK(node.ask({"name", "pubsub", "subs"}).find(name) != std::string::npos);

  // A publisher that joins the topic only to publish is not heard before it says the record again,
  // a minute later; one that is in it already is heard at once.
  publisher.ipfs({"name", "resolve", "--nocache", "--timeout=1s", name});
  const std::string topic = node.ask({"pubsub", "ls"});
  const std::string id = node.ask({"id", "-f", "<id>"});
  wait_for([&] { return publisher.ask({"pubsub", "peers", topic}).find(id) != std::string::npos; });

  const std::string cids[] = {"bafkqaaa", "bafkqabdbmjrwi"};
  for (size_t i = 0; i < 2; ++i) {
    publisher.ask({"name", "publish", "--allow-offline", "/ipfs/" + cids[i]});
    const std::string heard =
        name + ": sequence " + std::to_string(i + 1) + " from " + node.rpc() + " (pubsub)";
    CHECK(bridging.wait_for_line(heard, std::chrono::seconds(30)));
    const auto announced = bridging.wait_for_line("/ipfs/" + cids[i], std::chrono::seconds(60));
    REQUIRE(announced);
    CHECK(announced->find("change  " + name) != std::string::npos);
  }

  bridging.signal(SIGINT);
  const auto ended = bridging.wait(std::chrono::seconds(20));
  REQUIRE(ended);
  CHECK(ended->exit == 0);
}

TEST_CASE("a Kubo whose pubsub is off is told once, and the bridge polls it") {
  const auto folder = peer("kubo");
  if (!folder) SKIP_TEST(folder.error());
  KuboNode node(*folder);
  node.start(true);
  const std::string listed = node.ask({"key", "list", "-l", "--ipns-base=base36"});
  const TempDir dir;
  std::ofstream(dir.path() / "config.toml")
      << "[relays]\nurls = [\"ws://127.0.0.1:1\"]\n[gateways]\nnodes = [" << quoted(node.rpc())
      << ", " << quoted(node.gateway()) << "]\n[bridge]\nnames = ["
      << quoted(listed.substr(0, listed.find(' ')))
      << "]\npoll = \"200ms to 500ms\"\n[http]\nmetrics = \"\"\n";
  const auto with = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--config", (dir.path() / "config.toml").string(), "--state",
                                       (dir.path() / "state").string()});
    return our_program(arguments);
  };
  REQUIRE(run(with({"key", "generate", "self"})).exit == 0);
  Process bridging(with({"bridge"}));
  INFO("bridge: " << bridging.output());
  REQUIRE(bridging.wait_for_line(node.rpc() + ": not offered, polling only: experimental pubsub",
                                 std::chrono::seconds(60)));
  node.ask({"name", "publish", "--allow-offline", "/ipfs/bafkqaaa"});
  CHECK(bridging.wait_for_line("change  ", std::chrono::seconds(60)));
  bridging.signal(SIGINT);
  REQUIRE(bridging.wait(std::chrono::seconds(20)));
  CHECK(bridging.output().find(node.gateway() + ": not offered") == std::string::npos);
}
