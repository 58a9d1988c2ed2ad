// What becomes of what was published: counted, and renewed before its end.
#include <csignal>

#include "tests/integration/cli_stack.h"

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
