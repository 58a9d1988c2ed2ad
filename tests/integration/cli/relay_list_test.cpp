// A key's relays are found by its own list (NIP-65), as a user meets it.
#include <nlohmann/json.hpp>

#include "ipnscast/nostr/server/relay_server.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/places.h"
#include "ipnscast/tests/support/process.h"
#include "ipnscast/tests/support/temp_dir.h"

using namespace ipnscast;
using nlohmann::json;
using test::Ran;

namespace {

const std::string kCid = "bafybeih623j26pmus7drj6gopwundyhup4qih7ozsmwep7cnskkfqypd2u";

// Two relays on one host, and people who know one of them each.
struct World {
  World() {
    nostr::server::RelayServerOptions options;
    options.port = 0;
    for (auto& relay : relays)
      relay = std::move(*nostr::server::RelayServer::start(*loop, options));
  }
  Ran run(const std::string& person, std::vector<std::string> arguments,
          std::string input = {}) const {
    arguments.insert(arguments.begin(), test::program());
    arguments.insert(arguments.end(),
                     {"--json", "--config", (folder.path() / person / "config.toml").string(),
                      "--state", (folder.path() / person / "state").string()});
    return test::run({.argv = std::move(arguments), .input = std::move(input)});
  }
  json init(const std::string& person, size_t relay) const {
    const Ran ran = run(person, {"init", "--relay", relays[relay]->url()});
    INFO(ran.err);
    REQUIRE(ran.exit == 0);
    return json::parse(ran.out);
  }

  test::TempDir folder;
  std::unique_ptr<nostr::net::Loop> loop = std::move(*nostr::net::Loop::start());
  std::unique_ptr<nostr::server::RelayServer> relays[2];
};

}  // namespace

// That a list is followed to public relays is shown by own_network_test.cpp.
TEST_CASE("a relay list on the own network is followed to configured relays only (R39)") {
  const World world;
  const json author = world.init("author", 1);
  world.init("reader", 0);
  REQUIRE(world.run("author", {"announce", "self", kCid, "--sequence", "1"}).exit == 0);
  const std::vector<std::string> by_npub = {"announce", author["npub"], kCid, "--sequence", "1"};
  const Ran before = world.run("reader", by_npub);
  CHECK(before.exit == 1);
  CHECK(before.err.find("announces no name") != std::string::npos);

  const Ran list = world.run("author", {"event", "relay-list"});
  INFO(list.err);
  REQUIRE(list.exit == 0);
  CHECK(json::parse(list.out)["tags"] == json::array({json::array({"r", world.relays[1]->url()})}));
  REQUIRE(
      world.run("author", {"event", "publish", "--relay", world.relays[0]->url()}, list.out).exit ==
      0);

  // Another port of a host that is configured is another service.
  const Ran after = world.run("reader", by_npub);
  INFO(after.out + after.err);
  CHECK(after.exit == 1);
  CHECK(after.err.find("announces no name") != std::string::npos);
}

TEST_CASE("a relay list that leads astray takes nothing from what is known") {
  const World world;
  const json author = world.init("author", 0);
  world.init("reader", 0);
  REQUIRE(world.run("author", {"announce", "self", kCid, "--sequence", "1"}).exit == 0);
  // One that nobody listens at, and one that must not even be asked.
  const Ran list = world.run("author", {"event", "relay-list", "--relay", "ws://127.0.0.1:9",
                                        "--relay", "ws://10.255.255.1"});
  REQUIRE(world.run("author", {"event", "publish"}, list.out).exit == 0);
  const Ran found = world.run("reader", {"announce", author["npub"], kCid, "--sequence", "1"});
  INFO(found.out + found.err);
  CHECK(found.out.find(author["name"].get<std::string>()) != std::string::npos);
}
