#include <csignal>

#include "ipnscast/tests/integration/cli/cli_stack.h"

using namespace ipnscast;
using namespace ipnscast::test;

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

TEST_CASE("Ctrl-C ends a watch in the middle of its command; others can look meanwhile (S0-09)") {
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
  CHECK(stack.run("ann", {"publish", "self", note}).exit == 0);

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

TEST_CASE("a default key that signs records only is no obstacle: there are just no hints") {
  const Stack stack;
  stack.init("ann");
  REQUIRE(stack
              .run("bob", {"init", "--json", "--relay", stack.relay_url(), "--node",
                           stack.gateway_url(), "--node", stack.rpc_url()})
              .exit == 0);
  fs::remove_all(stack.folder() / "bob" / "data" / "ipnscast" / "keys");
  REQUIRE(stack.run("bob", {"key", "generate", "self", "--type", "ed25519"}).exit == 0);
  write(stack.folder() / "bob" / "file", "text");
  const Ran ran = stack.run("bob", {"publish", "self", "file", "--json"});
  INFO(ran.out << ran.err);
  REQUIRE(ran.exit == 4);  // everything but the announcement
  CHECK(ran.out.find("no Nostr key") != std::string::npos);
  const std::string name = json::parse(ran.out).at("name");
  CHECK(stack.run("bob", {"resolve", name}).exit == 0);
  CHECK(stack.run("bob", {"event", "req", R"({"kinds":[1]})"}).exit == 0);
}

TEST_CASE("with publish.at_rest nothing of the content can be read from the disk (S0-08, S0-22)") {
  const Stack stack;
  stack.init("ann");
  const std::string secret = "what only this person may read";
  write(stack.folder() / "ann" / "tree" / "file", secret);
  const auto run = [&](std::vector<std::string> arguments, const char* at_rest) {
    Command command = stack.command("ann", std::move(arguments));
    command.environment["IPNSCAST_PUBLISH_AT_REST"] = at_rest;
    return ipnscast::test::run(command, kSoon);
  };
  const Ran published = run({"publish", "self", "tree"}, "aes-256-gcm");
  INFO(published.err);
  REQUIRE(published.exit == 0);
  for (const char* const part : {"state", "cache"}) {
    const fs::path below = stack.folder() / "ann" / part;
    if (!fs::exists(below)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(below)) {
      INFO(entry.path());
      if (entry.is_regular_file()) CHECK(read(entry.path()).find(secret) == std::string::npos);
    }
  }
  REQUIRE(run({"get", "self", "-o", "out"}, "aes-256-gcm").exit == 0);
  CHECK(read(stack.folder() / "ann" / "out" / "file") == secret);
  const Ran without = run({"get", "self", "-o", "other"}, "none");
  CHECK(without.exit == 1);
  CHECK(without.err.find("publish.at_rest") != std::string::npos);
  CHECK(run({"forget", "self"}, "aes-256-gcm").exit == 0);
}

TEST_CASE("what is logged is text or JSON, as much as the configuration says") {
  const Stack stack;
  stack.init("ann");
  Command looking = stack.command("ann", {"event", "req", R"({"kinds":[1]})"});
  looking.environment["IPNSCAST_LOG_LEVEL"] = "debug";
  looking.environment["IPNSCAST_LOG_FORMAT"] = "json";
  looking.environment["IPNSCAST_IDENTITY_KEY"] = "nobody";
  const Ran ran = ipnscast::test::run(looking, kSoon);
  std::istringstream lines(ran.err);
  std::string line;
  REQUIRE(std::getline(lines, line));
  const json first = json::parse(line);
  CHECK(first.at("level") == "warning");
  CHECK(first.at("area") == "session");
  CHECK(first.at("text").get<std::string>().starts_with("relays that ask who we are (NIP-42)"));
  CHECK(first.at("time").get<std::string>().ends_with("Z"));
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
