// The program as a user types it, against an embedded relay and node on loopback.
#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "bridge/node/node_server.h"
#include "nostr/server/relay_server.h"
#include "tests/support/catch.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace ipnscast {
namespace {

using nlohmann::json;
using test::Command;
using test::Ran;
namespace fs = std::filesystem;

const std::chrono::seconds kSoon(30);

void write(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}
std::string read(const fs::path& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

// A relay and a node, and people who use them.
class Stack {
 public:
  Stack() {
    nostr::server::RelayServerOptions relay;
    relay.port = 0;
    relay_ = std::move(*nostr::server::RelayServer::start(*loop_, relay));
    bridge::NodeOptions node;
    node.gateway_port = 0;
    node.rpc_port = 0;
    node_ = std::move(*bridge::Node::start(*loop_, node));
  }

  const fs::path& folder() const { return folder_.path(); }
  std::string relay_url() const { return relay_->url(); }

  // The program with these arguments, at home in a folder of this person's.
  Command command(const std::string& person, std::vector<std::string> arguments) const {
    Command out;
    out.argv = {IPNSCAST_BINARY_DIR "/tools/ipnscast"};
    out.argv.insert(out.argv.end(), arguments.begin(), arguments.end());
    const fs::path home = folder() / person;
    fs::create_directories(home);
    out.environment = {{"HOME", home.string()},
                       {"XDG_CONFIG_HOME", (home / "config").string()},
                       {"XDG_STATE_HOME", (home / "state").string()},
                       {"XDG_CACHE_HOME", (home / "cache").string()}};
    out.folder = home;
    return out;
  }
  Ran run(const std::string& person, std::vector<std::string> arguments) const {
    return test::run(command(person, std::move(arguments)), kSoon);
  }
  // Makes a configuration for the stack; the facts that `init` prints.
  json init(const std::string& person) const {
    const Ran made = run(person, {"init", "--json", "--relay", relay_url(), "--node",
                                  node_->gateway_url(), "--node", node_->rpc_url()});
    INFO(made.err);
    REQUIRE(made.exit == 0);
    return json::parse(made.out);
  }

 private:
  test::TempDir folder_;
  std::unique_ptr<nostr::net::Loop> loop_ = std::move(*nostr::net::Loop::start());
  std::unique_ptr<nostr::server::RelayServer> relay_;
  std::unique_ptr<bridge::Node> node_;
};

TEST_CASE("init makes a configuration and an identity once, and never overwrites") {
  const Stack stack;
  const json facts = stack.init("ann");
  CHECK(facts["name"].get<std::string>().starts_with("k51"));
  const std::string config = read(facts["config"].get<std::string>());
  const Ran again = stack.run("ann", {"init", "--json"});
  CHECK(again.exit == 1);
  CHECK(json::parse(again.err)["error"]["code"] == "conflict");
  CHECK(read(facts["config"].get<std::string>()) == config);
  CHECK(config.find("wss://") == std::string::npos);
}

TEST_CASE("what one device publishes, another mirrors with all its changes") {
  const Stack stack;
  const std::string name = stack.init("ann")["name"];
  const std::string npub = json::parse(stack.run("ann", {"key", "show", "--json"}).out)["npub"];
  stack.init("bob");
  const fs::path site = stack.folder() / "site";
  write(site / "a.txt", "one");
  write(site / "sub/b.txt", "two");
  const Ran first = stack.run("ann", {"publish", "self", site.string(), "--json"});
  INFO(first.out << first.err);
  REQUIRE(first.exit == 0);
  CHECK(json::parse(first.out)["quorum_met"] == true);

  const fs::path mirror = stack.folder() / "mirror";
  test::Process watch(stack.command("bob", {"watch", npub, "--json", "--mirror", mirror.string()}));
  const auto line = watch.wait_for_line("\"change\"", kSoon);
  INFO(watch.output());
  REQUIRE(line);
  CHECK(json::parse(*line)["name"] == name);
  CHECK(json::parse(*line)["mirror"]["added"] == json({"a.txt", "sub/b.txt"}));
  CHECK(read(mirror / "sub/b.txt") == "two");

  write(site / "a.txt", "changed");
  fs::remove(site / "sub/b.txt");
  write(site / "c.txt", "new");
  const Ran second = stack.run("ann", {"publish", "self", site.string()});
  INFO(second.out << second.err);
  REQUIRE(second.exit == 0);
  const auto next = watch.wait_for_line("\"change\"", kSoon);
  INFO(watch.output());
  REQUIRE(next);
  CHECK(json::parse(*next)["mirror"]["added"] == json({"c.txt"}));
  CHECK(json::parse(*next)["mirror"]["changed"] == json({"a.txt"}));
  CHECK(json::parse(*next)["mirror"]["removed"] == json({"sub/b.txt"}));
  CHECK(read(mirror / "a.txt") == "changed");
  CHECK_FALSE(fs::exists(mirror / "sub/b.txt"));

  watch.signal(SIGINT);
  const auto ended = watch.wait(kSoon);
  REQUIRE(ended);
  CHECK(ended->exit == 0);
}

TEST_CASE("a mirror leaves alone a directory that it did not make") {
  const Stack stack;
  const std::string name = stack.init("ann")["name"];
  const fs::path mine = stack.folder() / "mine";
  write(mine / "precious", "mine");
  const Ran refused = stack.run("ann", {"watch", name, "--mirror", mine.string()});
  CHECK(refused.exit == 1);
  CHECK(read(mine / "precious") == "mine");
}

TEST_CASE("a command that fails gets its change again until it succeeds") {
  const Stack stack;
  stack.init("ann");
  write(stack.folder() / "note", "hello");
  REQUIRE(stack.run("ann", {"publish", "self", (stack.folder() / "note").string()}).exit == 0);
  const std::string name =
      json::parse(stack.run("ann", {"key", "show", "--json"}).out)["ed25519"]["k51"];
  stack.init("bob");
  const fs::path tries = stack.folder() / "tries";
  const fs::path seen = stack.folder() / "seen";
  test::Process watch(stack.command(
      "bob", {"watch", name, "--json", "--exec",
              "echo x >> " + tries.string() + "; [ $(wc -l < " + tries.string() +
                  ") -ge 2 ] || exit 3; { echo $IPNSCAST_SEQUENCE $IPNSCAST_NAME; cat; } > " +
                  seen.string()}));
  const auto line = watch.wait_for_line("\"change\"", kSoon);
  INFO(watch.output());
  REQUIRE(line);
  std::istringstream said(read(seen));
  std::string sequence, named, input;
  said >> sequence >> named >> std::ws;
  std::getline(said, input);
  CHECK(sequence == json::parse(*line)["sequence"].get<std::string>());
  CHECK(named == name);
  CHECK(json::parse(input)["cid"] == json::parse(*line)["cid"]);
}

TEST_CASE("Ctrl-C ends a watch in the middle of its command; others can look meanwhile") {
  const Stack stack;
  const std::string name = stack.init("ann")["name"];
  const std::string note = (stack.folder() / "note").string();
  write(note, "hello");
  REQUIRE(stack.run("ann", {"publish", "self", note}).exit == 0);
  const auto published = json::parse(stack.run("ann", {"status", "--json"}).out)["metrics"];
  CHECK(published["operations"]["publish"]["count"] == 1);
  CHECK(published["meets_target"] == true);
  test::Process watch(
      stack.command("ann", {"watch", name, "--exec", "echo started >&2; exec sleep 100"}));
  REQUIRE(watch.wait_for_line("started", kSoon));

  CHECK(stack.run("ann", {"resolve", name}).exit == 0);
  CHECK(stack.run("ann", {"get", name, "-o", "-"}).out == "hello");
  const auto status = json::parse(stack.run("ann", {"status", "--json"}).out);
  REQUIRE(status["names"].size() == 1);
  CHECK(status["names"][0]["name"] == name);
  CHECK(status["metrics"]["operations"]["publish"]["count"] == 0);  // the watch's own
  const Ran second = stack.run("ann", {"publish", "self", note, "--json"});
  CHECK(second.exit == 1);
  CHECK(json::parse(second.err)["error"]["code"] == "conflict");

  watch.signal(SIGINT);
  const auto ended = watch.wait(kSoon);
  REQUIRE(ended);
  INFO(ended->err);
  CHECK(ended->exit == 0);
  CHECK(ended->out.empty());
}

TEST_CASE("watch --once prints the current state and ends") {
  const Stack stack;
  const std::string name = stack.init("ann")["name"];
  const Ran none = stack.run("ann", {"watch", name, "--once", "--json"});
  CHECK(none.exit == 1);
  write(stack.folder() / "note", "hello");
  REQUIRE(stack.run("ann", {"publish", "self", (stack.folder() / "note").string()}).exit == 0);
  for (int twice = 0; twice < 2; ++twice) {
    const Ran once = stack.run("ann", {"watch", name, "--once", "--json"});
    INFO(once.out << once.err);
    CHECK(once.exit == 0);
    CHECK(json::parse(once.out)["event"] == "change");
  }
}

TEST_CASE("resolve and get bring what was published, a file also to standard output") {
  const Stack stack;
  const std::string name = stack.init("ann")["name"];
  write(stack.folder() / "site/sub/b.txt", "two");
  const Ran published =
      stack.run("ann", {"publish", "self", (stack.folder() / "site").string(), "--json"});
  REQUIRE(published.exit == 0);
  const std::string cid = json::parse(published.out)["cid"];
  stack.init("bob");
  const Ran resolved = stack.run("bob", {"resolve", name, "--json"});
  INFO(resolved.out << resolved.err);
  CHECK(resolved.exit == 0);
  CHECK(json::parse(resolved.out)["value"] == "/ipfs/" + cid);
  const Ran file = stack.run("bob", {"get", name + "/sub/b.txt", "-o", "-"});
  INFO(file.err);
  CHECK(file.exit == 0);
  CHECK(file.out == "two");
  const fs::path out = stack.folder() / "out";
  CHECK(stack.run("bob", {"get", cid, "-o", out.string()}).exit == 0);
  CHECK(read(out / "sub/b.txt") == "two");
  CHECK(stack.run("bob", {"get", cid, "-o", out.string()}).exit == 1);
  CHECK(stack.run("bob", {"get", cid, "-o", "-"}).exit == 2);
  CHECK(stack.run("bob", {"get", cid + "/none", "-o", "-"}).exit == 1);
}

TEST_CASE("a publish that expects another sequence changes nothing") {
  const Stack stack;
  stack.init("ann");
  const std::string note = (stack.folder() / "note").string();
  write(note, "one");
  const Ran first = stack.run("ann", {"publish", "self", note, "--json"});
  REQUIRE(first.exit == 0);
  const std::string sequence = json::parse(first.out)["sequence"];
  write(note, "two");
  const Ran refused =
      stack.run("ann", {"publish", "self", note, "--expect-sequence", sequence + "7", "--json"});
  CHECK(refused.exit == 1);
  CHECK(json::parse(refused.err)["error"]["code"] == "conflict");
  CHECK(stack.run("ann", {"publish", "self", note, "--expect-sequence", sequence}).exit == 0);
}

TEST_CASE("what makes no sense is told with exit code 2, in JSON where asked for") {
  const Stack stack;
  stack.init("ann");
  const std::vector<std::vector<std::string>> nonsense = {
      {"resolve", "not a name"},
      {"resolve", "nobody"},
      {"resolve", ""},
      {"watch"},
      {"publish", "self"},
      {"publish", "self", "/nowhere"},
      {"publish", "self", "--cid", "hello"},
      {"announce", "self", "hello", "--sequence", "1"},
      {"announce", "self", "bafkqaaa", "--sequence", "9223372036854775808"},
      {"announce", "self", "bafkqaaa", "--sequence", "-1"},
      {"get", "self"},
      {"status", "--config", "/nowhere"},
      {"event", "req", "{}", "--relay", "http://127.0.0.1:1"},
  };
  for (auto arguments : nonsense) {
    arguments.push_back("--json");
    const Ran ran = stack.run("ann", arguments);
    INFO(arguments[0] << " " << (arguments.size() > 1 ? arguments[1] : "") << ": " << ran.err);
    CHECK(ran.exit == 2);
    CHECK(json::parse(ran.err, nullptr, false).contains("error"));
    CHECK(ran.out.empty());
  }
}

TEST_CASE("events published to a relay are asked for and come back verified") {
  const Stack stack;
  stack.init("ann");
  const std::string secret = (stack.folder() / "secret").string();
  write(secret, std::string(63, '0') + "3\n");
  fs::permissions(secret, fs::perms::owner_read);
  Command sign = stack.command("ann", {"event", "sign", "--secret-file", secret});
  sign.input = R"({"kind":1,"content":"hello"})";
  const Ran event = test::run(sign, kSoon);
  REQUIRE(event.exit == 0);
  Command publish = stack.command("ann", {"event", "publish", "--json"});
  publish.input = event.out;
  const Ran published = test::run(publish, kSoon);
  CHECK(published.exit == 0);
  CHECK(json::parse(published.out)["ok"] == true);
  const Ran asked = stack.run("ann", {"event", "req", R"({"kinds":[1]})"});
  CHECK(asked.exit == 0);
  CHECK(asked.out == event.out);
  publish.argv.insert(publish.argv.end(), {"--relay", stack.relay_url(), "--relay",
                                           "ws://127.0.0.1:1", "--quorum", "2", "--timeout", "1s"});
  CHECK(test::run(publish, kSoon).exit == 4);
  CHECK(stack.run("ann", {"event", "req", "{}", "--relay", "ws://127.0.0.1:1"}).exit == 3);
}

TEST_CASE("an npub with private hints leads its owner to the name, and nobody else") {
  const Stack stack;
  const std::string name = stack.init("ann")["name"];
  const std::string npub = json::parse(stack.run("ann", {"key", "show", "--json"}).out)["npub"];
  write(stack.folder() / "page.txt", "private");
  Command publish =
      stack.command("ann", {"publish", "self", (stack.folder() / "page.txt").string(), "--json"});
  publish.environment["IPNSCAST_RELAYS_PRIVATE"] = "true";
  const Ran published = test::run(publish, kSoon);
  INFO(published.err);
  REQUIRE(published.exit == 0);
  CHECK(json::parse(published.out)["relays_acknowledged"] == 1);

  const Ran found = stack.run("ann", {"resolve", npub, "--json"});
  INFO(found.err);
  CHECK(found.exit == 0);
  CHECK(found.out.find(name) != std::string::npos);
  stack.init("bob");
  const Ran lost = stack.run("bob", {"resolve", npub});
  CHECK(lost.exit == 1);
  CHECK(lost.err.find("announces no name") != std::string::npos);
  CHECK((lost.out + lost.err).find(name) == std::string::npos);
}

TEST_CASE("a bridge refuses to make its hints private, and says why") {
  const Stack stack;
  const std::string name = stack.init("ann")["name"];
  Command bridge = stack.command("ann", {"bridge", "--check-config"});
  bridge.environment["IPNSCAST_BRIDGE_NAMES"] = name;
  CHECK(test::run(bridge, kSoon).exit == 0);
  bridge.environment["IPNSCAST_RELAYS_PRIVATE"] = "true";
  const Ran refused = test::run(bridge, kSoon);
  CHECK(refused.exit == 2);
  CHECK(refused.err.find("relays.private: a bridge announces for others") != std::string::npos);
}

TEST_CASE("a quorum of named relays, or all, decides the exit code of a publish") {
  const Stack stack;
  stack.init("ann");
  write(stack.folder() / "page.txt", "one");
  const std::string away = "ws://127.0.0.1:1";
  const auto published = [&](const std::string& urls, const std::string& quorum) {
    Command command = stack.command(
        "ann", {"publish", "self", (stack.folder() / "page.txt").string(), "--timeout", "2s"});
    command.environment["IPNSCAST_RELAYS_URLS"] = urls;
    command.environment["IPNSCAST_RELAYS_QUORUM"] = quorum;
    return test::run(command, kSoon);
  };
  const std::string both = stack.relay_url() + "," + away;
  CHECK(published(both, "first").exit == 0);
  CHECK(published(both, stack.relay_url()).exit == 0);
  CHECK(published(both, "all").exit == 4);
  CHECK(published(both, away).exit == 4);
  const Ran nonsense = published(stack.relay_url(), away);
  CHECK(nonsense.exit == 2);
  CHECK(nonsense.err.find("the quorum names " + away) != std::string::npos);
}

}  // namespace
TEST_CASE("watch and bridge renew the records of our keys before their end (S1-26)") {
  const Stack stack;
  const std::string name = stack.init("ann").at("name");
  stack.init("bob");  // looks, as ann's state is in use
  write(stack.folder() / "ann/site/index.html", "hello");
  auto publish = stack.command("ann", {"publish", "self", "site", "--json"});
  publish.environment["IPNSCAST_PUBLISH_LIFETIME"] = "1h";
  const Ran published = test::run(publish, kSoon);
  INFO(published.err);
  REQUIRE(published.exit == 0);
  CHECK(json::parse(published.out).at("complete") == true);
  const auto found = [&] {
    const Ran ran = stack.run("bob", {"resolve", name, "--json"});
    INFO(ran.err);
    REQUIRE(ran.exit == 0);
    return json::parse(ran.out);
  };
  const json before = found();
  std::vector<std::string> arguments;
  SECTION("watch") { arguments = {"watch", "self"}; }
  SECTION("bridge") { arguments = {"bridge"}; }
  auto keeper = stack.command("ann", arguments);
  keeper.environment["IPNSCAST_BRIDGE_KEEP_ALIVE"] = "true";
  keeper.environment["IPNSCAST_BRIDGE_NAMES"] = name;
  test::Process running(keeper);
  json after = found();
  for (const auto end = std::chrono::steady_clock::now() + kSoon;
       after.at("validity") == before.at("validity") && std::chrono::steady_clock::now() < end;) {
    after = found();
  }
  INFO(running.output());
  CHECK(after.at("validity").get<std::string>() > before.at("validity").get<std::string>());
  CHECK(after.at("sequence") == before.at("sequence"));
  CHECK(after.at("value") == before.at("value"));
  running.signal(SIGTERM);
  const auto ended = running.wait(kSoon);
  REQUIRE(ended);
  CHECK(ended->exit == 0);
}

}  // namespace ipnscast
