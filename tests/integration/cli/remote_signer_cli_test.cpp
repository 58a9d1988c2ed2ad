// `[identity] signer = "bunker://..."`: the program without a Nostr key of its own (NIP-46).
#include <fstream>
#include <nlohmann/json.hpp>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/event/nip19.h"
#include "ipnscast/nostr/server/relay_server.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/places.h"
#include "ipnscast/tests/support/process.h"
#include "ipnscast/tests/support/relays/bunker.h"
#include "ipnscast/tests/support/temp_dir.h"

using namespace ipnscast;
using nlohmann::json;
using test::Ran;

namespace {

const std::string kName = "k51qzi5uqu5dhbucpoao44lx7txki8bokz8n2cucag2rl87ahq2hv090gg5pnm";
const std::string kCid = "bafybeih623j26pmus7drj6gopwundyhup4qih7ozsmwep7cnskkfqypd2u";

struct World {
  World() {
    nostr::server::RelayServerOptions options;
    options.port = 0;
    relay = std::move(*nostr::server::RelayServer::start(*loop, options));
    bunker =
        std::make_unique<test::Bunker>(*loop, std::vector{*nostr::RelayUrl::parse(relay->url())});
    write_config({"http://127.0.0.1:9"});
  }
  void write_config(const std::vector<std::string>& nodes) const {
    std::ofstream(folder.path() / "config.toml")
        << "[identity]\nsigner = \"" << bunker->address() << "\"\n[relays]\nurls = [\""
        << relay->url() << "\"]\n[gateways]\nnodes = " << json(nodes) << "\n"
        << "[bridge]\nnames = [\"" << kName << "\"]\n";
  }
  Ran run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), test::program());
    arguments.insert(arguments.end(),
                     {"--json", "--config", (folder.path() / "config.toml").string(), "--state",
                      (folder.path() / "state").string()});
    return test::run({.argv = std::move(arguments)});
  }

  test::TempDir folder;
  std::unique_ptr<nostr::net::Loop> loop = std::move(*nostr::net::Loop::start());
  std::unique_ptr<nostr::server::RelayServer> relay;
  std::unique_ptr<test::Bunker> bunker;
};

}  // namespace

TEST_CASE("hints are announced under the key of a remote signer, over restarts") {
  const World world;
  for (const char* sequence : {"1", "2"}) {
    const Ran ran = world.run({"announce", kName, kCid, "--sequence", sequence});
    INFO(ran.out + ran.err);
    REQUIRE(ran.exit == 0);
  }
  CHECK(world.bunker->heard("connect") == 1);
  CHECK(world.bunker->heard("get_public_key") == 2);

  const Ran asked = world.run({"event", "req", R"({"kinds":[30078]})"});
  INFO(asked.err);
  REQUIRE(asked.exit == 0);
  const json hint = json::parse(asked.out.substr(0, asked.out.find('\n')));
  CHECK(hint["pubkey"] == to_hex(world.bunker->user().public_key().view()));
  CHECK(hint["content"].get<std::string>().find("\"2\"") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(world.folder.path() / "state/keys"));
}

TEST_CASE("a relay list is signed by a remote signer, which was asked for that permission") {
  const World world;
  const Ran ran = world.run({"event", "relay-list", "--relay", "wss://relay.example"});
  INFO(ran.out + ran.err);
  REQUIRE(ran.exit == 0);
  CHECK(json::parse(ran.out)["kind"] == 10002);
}

TEST_CASE("the bridge announces as the user of a remote signer") {
  const World world;
  const Ran ran = world.run({"bridge", "--check-config"});
  INFO(ran.err);
  REQUIRE(ran.exit == 0);
  CHECK(json::parse(ran.out)["author"] == nostr::encode_npub(world.bunker->user().public_key()));
}

TEST_CASE("a record is signed by a key of its own and announced by the remote signer") {
  const World world;
  const std::filesystem::path folder = world.folder.path();
  test::Process up(
      {.argv = {test::program(), "up", "--port-base", "0", "--dir", (folder / "up").string(),
                "--state", (folder / "up-state").string(), "--json"}});
  const auto ready = up.wait_for_line("\"rpc\"", std::chrono::seconds(30));
  INFO(up.output());
  REQUIRE(ready);
  const json stack = json::parse(*ready);
  world.write_config({stack["gateway"], stack["rpc"]});
  std::filesystem::create_directory(folder / "tree");
  std::ofstream(folder / "tree/file") << "content";

  const Ran key = world.run({"key", "generate", "--type", "ed25519"});
  REQUIRE(key.exit == 0);
  const std::string name = json::parse(key.out)["ed25519"]["k51"];
  const Ran published = world.run({"publish", "self", (folder / "tree").string()});
  INFO(published.out + published.err);
  REQUIRE(published.exit == 0);

  const Ran asked = world.run({"event", "req", R"({"kinds":[30078]})"});
  REQUIRE(asked.exit == 0);
  const json hint = json::parse(asked.out.substr(0, asked.out.find('\n')));
  CHECK(hint["pubkey"] == to_hex(world.bunker->user().public_key().view()));
  CHECK(hint["tags"][0] == json::array({"d", "ipns-sync-" + name}));
}

TEST_CASE("a remote signer signs no records, and whoever tries is told what to do") {
  const World world;
  const Ran ran = world.run({"publish", "self", "--cid", kCid});
  CHECK(ran.exit == 1);
  CHECK(ran.err.find("key generate self --type ed25519") != std::string::npos);
}
