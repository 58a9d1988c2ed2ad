// What becomes of what was published: counted, and renewed before its end.
#include <csignal>

#include "ipnscast/nostr/event/keys.h"
#include "ipnscast/tests/integration/cli/cli_stack.h"

using namespace ipnscast;
using namespace ipnscast::test;

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

TEST_CASE("rows tell content from record, and no hint is no id (R16)") {
  const Stack stack;
  stack.init("ann");
  write(stack.folder() / "page.txt", "one");
  Command command =
      stack.command("ann", {"publish", "self", (stack.folder() / "page.txt").string(), "--json"});
  SECTION("with a relay") {
    const json out = json::parse(test::run(command, kSoon).out);
    CHECK(out.at("hint").is_string());
    std::map<std::string, int> rows;
    for (const json& place : out.at("places")) ++rows[place.at("what").get<std::string>()];
    CHECK(rows == std::map<std::string, int>{{"content", 1}, {"hint", 1}, {"record", 2}});
  }
  SECTION("without relays") {
    command.environment["IPNSCAST_RELAYS_URLS"] = "";
    const json out = json::parse(test::run(command, kSoon).out);
    CHECK(out.at("hint").is_null());
    CHECK(out.at("complete") == true);
  }
}

TEST_CASE("the end of a publish tells what is not tried again from what goes on") {
  const Stack stack;
  stack.init("ann");
  const auto loop = std::move(*nostr::net::Loop::start());
  nostr::server::RelayServerOptions options;
  options.port = 0;
  options.relay.writers = {nostr::SecretKey::generate().public_key()};  // somebody else
  const auto closed = std::move(*nostr::server::RelayServer::start(*loop, options));
  write(stack.folder() / "page.txt", "one");
  const auto publish = [&](const std::string& relays, bool with_nodes) {
    Command command = stack.command(
        "ann", {"publish", "self", "page.txt", "--json", "--timeout", "3s", "--force"});
    command.folder = stack.folder();
    command.environment["IPNSCAST_RELAYS_URLS"] = relays;
    if (!with_nodes) command.environment["IPNSCAST_GATEWAYS_NODES"] = "";
    return test::run(command, kSoon);
  };
  const std::string away = "ws://127.0.0.1:1";
  const Ran nowhere = publish(closed->url(), false);
  INFO(nowhere.out << nowhere.err);
  CHECK(nowhere.exit == 1);
  CHECK(nowhere.err.find("refused by all relays, not sent again") != std::string::npos);
  CHECK(json::parse(nowhere.out).at("places").at(0).at("goes_on") == false);
  const Ran at_nodes = publish(closed->url(), true);
  CHECK(at_nodes.exit == 4);
  CHECK(at_nodes.err.find("refused by all relays, not sent again") != std::string::npos);
  const Ran mixed = publish(closed->url() + "," + away, true);
  INFO(mixed.err);
  CHECK(mixed.exit == 4);
  CHECK(mixed.err.find("goes on with the next command that runs long enough: " + away) !=
        std::string::npos);
  CHECK(mixed.err.find("not sent again: " + closed->url()) != std::string::npos);
  CHECK(publish(away, false).exit == 3);
}

TEST_CASE("announcements are retracted by a command") {
  const Stack stack;
  const std::string name = stack.init("ann").at("name");
  write(stack.folder() / "ann/page.txt", "one");
  REQUIRE(stack.run("ann", {"publish", "self", "page.txt"}).exit == 0);
  const auto hints = [&] {
    return stack.run("ann", {"event", "req", R"({"kinds":[30078]})", "--timeout", "5s"}).out;
  };
  REQUIRE(hints().find(name) != std::string::npos);
  const Ran retracted = stack.run("ann", {"announce", "--retract", name, "--json"});
  INFO(retracted.err);
  CHECK(retracted.exit == 0);
  CHECK(json::parse(retracted.out).at("retraction").is_string());
  CHECK(hints().find(name) == std::string::npos);
  CHECK(stack.run("ann", {"announce", name}).exit == 2);
  CHECK(stack.run("ann", {"announce", name, "--retract", "--sequence", "3"}).exit == 2);
}
