// The main job on real software: Kubo publishes, our bridge watches, a relay that others wrote
// carries the hint, and `ipnscast watch --mirror` holds the same bytes.
#include <csignal>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/peers.h"
#include "ipnscast/tests/support/skip.h"
#include "ipnscast/tests/support/temp_dir.h"
#include "ipnscast/tests/support/vectors.h"

using namespace ipnscast::test;
namespace fs = std::filesystem;

namespace {

void write_file(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
}

std::map<std::string, std::string> tree_of(const fs::path& folder) {
  std::map<std::string, std::string> out;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file())
      out[fs::relative(entry.path(), folder).string()] = read_file(entry.path());
  }
  return out;
}

// One of our programs with a configuration and a state of its own.
struct Place {
  fs::path folder;
  std::vector<std::string> with(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--config", (folder / "config.toml").string(), "--state",
                                       (folder / "state").string()});
    return arguments;
  }
};

std::string quoted(const std::string& text) { return nlohmann::json(text).dump(); }

void follow(const std::string& relay_name) {
  auto kubo_folder = peer("kubo");
  if (!kubo_folder) SKIP_TEST(kubo_folder.error());
  auto relay_folder = peer(relay_name);
  if (!relay_folder) SKIP_TEST(relay_folder.error());

  TempDir dir;
  KuboNode kubo(*kubo_folder);
  kubo.start();
  ForeignRelay relay(relay_name, *relay_folder);
  const std::string listed = kubo.ask({"key", "list", "-l", "--ipns-base=base36"});
  const std::string name = listed.substr(0, listed.find(' '));

  const auto publish = [&](const fs::path& tree) {
    const std::string cid =
        kubo.ask({"add", "-r", "-Q", "--cid-version=1", "--raw-leaves", tree.string()});
    kubo.ask({"name", "publish", "--allow-offline", "/ipfs/" + cid});
    return cid;
  };

  const Place bridge{dir.path() / "bridge"};
  const Place reader{dir.path() / "reader"};
  const Ran key = run(our_program(
      {"key", "generate", "self", "--json", "--state", (bridge.folder / "state").string()}));
  INFO(key.out << key.err);
  REQUIRE(key.exit == 0);
  const std::string npub = nlohmann::json::parse(key.out).at("npub");
  write_file(bridge.folder / "config.toml",
             "[relays]\nurls = [" + quoted(relay.url()) + "]\n[gateways]\nnodes = [" +
                 quoted(kubo.gateway()) + ", " + quoted(kubo.rpc()) + "]\n[bridge]\nnames = [" +
                 quoted(name) + "]\npoll = \"200ms to 500ms\"\n");
  // The reader polls so rarely that only the hint can explain a change that arrives at once.
  write_file(reader.folder / "config.toml",
             "[relays]\nurls = [" + quoted(relay.url()) + "]\n[gateways]\nnodes = [" +
                 quoted(kubo.gateway()) + "]\n[trust]\nauthors = [" + quoted(npub) +
                 "]\n[sources]\npoll_min = \"20m\"\npoll_max = \"30m\"\npoll_healthy = \"30m\"\n");

  write_file(dir.path() / "one" / "hello.txt", "hello from Kubo");
  write_file(dir.path() / "one" / "deep" / "er" / "data.bin", std::string(700'000, 'x') + "end");
  const std::string first = publish(dir.path() / "one");

  Process bridging(our_program(bridge.with({"bridge"})));
  const fs::path mirror = dir.path() / "mirror";
  Process watching(
      our_program(reader.with({"watch", name, "--mirror", mirror.string(), "--json"})));
  INFO("bridge: " << bridging.output() << "\nwatch: " << watching.output());
  const auto change = watching.wait_for_line(first, std::chrono::seconds(60));
  REQUIRE(change);
  CHECK(tree_of(mirror) == tree_of(dir.path() / "one"));

  write_file(dir.path() / "two" / "hello.txt", "hello again");
  write_file(dir.path() / "two" / "new.txt", "a new file");
  const std::string second = publish(dir.path() / "two");
  const auto next = watching.wait_for_line("\"cid\":\"" + second, std::chrono::seconds(60));
  REQUIRE(next);
  CHECK(nlohmann::json::parse(*next).at("source") == "nostr");
  CHECK(nlohmann::json::parse(*next).at("status") == "confirmed");
  CHECK(tree_of(mirror) == tree_of(dir.path() / "two"));

  watching.signal(SIGINT);
  const auto watched = watching.wait(std::chrono::seconds(20));
  REQUIRE(watched);
  CHECK(watched->exit == 0);
  bridging.signal(SIGINT);
  const auto bridged = bridging.wait(std::chrono::seconds(20));
  REQUIRE(bridged);
  CHECK(bridged->exit == 0);
}

}  // namespace

TEST_CASE("a name that Kubo publishes is mirrored by way of our bridge and khatru") {
  follow("khatru");
}

TEST_CASE("a name that Kubo publishes is mirrored by way of our bridge and @nostr-relay/core") {
  follow("nostr-relay-core");
}

TEST_CASE(
    "what we publish is read back from Kubo under the same CID, and its name resolves there") {
  auto kubo_folder = peer("kubo");
  if (!kubo_folder) SKIP_TEST(kubo_folder.error());
  auto relay_folder = peer("khatru");
  if (!relay_folder) SKIP_TEST(relay_folder.error());
  TempDir dir;
  KuboNode kubo(*kubo_folder);
  kubo.start();
  ForeignRelay relay("khatru", *relay_folder);
  const Place writer{dir.path() / "writer"};
  write_file(writer.folder / "config.toml",
             "[relays]\nurls = [" + quoted(relay.url()) + "]\n[gateways]\nnodes = [" +
                 quoted(kubo.gateway()) + ", " + quoted(kubo.rpc()) + "]\n");
  REQUIRE(run(our_program(writer.with({"key", "generate", "self"}))).exit == 0);
  write_file(dir.path() / "tree" / "a.txt", "published by us");
  write_file(dir.path() / "tree" / "big.bin", std::string(1'000'000, 'y'));
  const Ran published =
      run(our_program(writer.with({"publish", "self", (dir.path() / "tree").string(), "--json"})));
  INFO(published.out << published.err);
  REQUIRE(published.exit == 0);
  const auto outcome = nlohmann::json::parse(published.out);
  const std::string cid = outcome.at("cid");
  CHECK(kubo.ask({"cat", "/ipfs/" + cid + "/a.txt"}) == "published by us");
  CHECK(kubo.ask({"add", "-r", "-Q", "-n", "--cid-version=1", "--raw-leaves",
                  (dir.path() / "tree").string()}) == cid);
  CHECK(kubo.ask({"pin", "ls", "--type=recursive", "-q"}).find(cid) != std::string::npos);
  CHECK(kubo.ask({"name", "resolve", "--offline", outcome.at("name").get<std::string>()}) ==
        "/ipfs/" + cid);
}
