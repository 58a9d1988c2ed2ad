// What a TARGET means, the same to every command.
#include <csignal>

#include "ipnscast/tests/integration/cli/cli_stack.h"

using namespace ipnscast;
using namespace ipnscast::test;

namespace {

std::string npub_of(const Stack& stack, const std::string& person) {
  return json::parse(stack.run(person, {"key", "show", "--json"}).out)["npub"];
}

TEST_CASE("watch of an npub waits while no relay is there, follows it then, and ends at once") {
  const Stack stack;
  const test::TempDir folder;
  const auto loop = std::move(*nostr::net::Loop::start());
  nostr::server::RelayServerOptions options{.port = 0, .directory = folder.path()};
  auto relay = std::move(*nostr::server::RelayServer::start(*loop, options));
  options.port = relay->port();
  stack.init("ann");
  const std::string npub = npub_of(stack, "ann");
  write(stack.folder() / "ann/site/index.html", "one");
  const auto command = [&](const std::string& person, std::vector<std::string> words) {
    Command out = stack.command(person, std::move(words));
    out.environment["IPNSCAST_RELAYS_URLS"] = "ws://127.0.0.1:" + std::to_string(options.port);
    return out;
  };
  const Ran published = test::run(command("ann", {"publish", "self", "site"}), kSoon);
  INFO(published.err);
  REQUIRE(published.exit == 0);
  relay.reset();

  stack.init("bob");
  test::Process left(command("bob", {"watch", npub}));
  REQUIRE(left.wait_for_line("it goes on as soon as one of them answers", kSoon));
  left.signal(SIGTERM);
  const auto ended = left.wait(kSoon);
  REQUIRE(ended);
  CHECK(ended->exit == 0);
  CHECK(test::run(command("bob", {"watch", npub, "--once"}), kSoon).exit == 3);
  CHECK(test::run(command("bob", {"watch", npub, "--timeout", "2s"}), kSoon).exit == 124);

  test::Process watch(command("bob", {"watch", npub, "--json"}));
  REQUIRE(watch.wait_for_line("it goes on as soon as one of them answers", kSoon));
  relay = std::move(*nostr::server::RelayServer::start(*loop, options));
  const auto line = watch.wait_for_line("\"change\"", kSoon);
  INFO(watch.output());
  REQUIRE(line);
}

}  // namespace

TEST_CASE("publish and watch take an npub for the same name") {
  const Stack stack;
  const std::string name = stack.init("ann").at("name");
  stack.init("bob");
  const std::string npub = npub_of(stack, "ann");
  write(stack.folder() / "ann/site/index.html", "one");
  // Before the first announcement, and after it.
  for (int sequence = 1; sequence <= 2; ++sequence) {
    const Ran published = stack.run("ann", {"publish", npub, "site", "--force", "--json"});
    INFO(published.err);
    REQUIRE(published.exit == 0);
    const json facts = json::parse(published.out);
    CHECK(facts.at("name") == name);
    const Ran seen = stack.run("bob", {"resolve", npub, "--json"});
    INFO(seen.err);
    REQUIRE(seen.exit == 0);
    CHECK(json::parse(seen.out).at("name") == name);
    CHECK(json::parse(seen.out).at("sequence") == std::to_string(sequence));
  }
  // Its other name, where that is meant.
  const Ran derived = stack.run("ann", {"publish", npub, "site", "--derived", "--json"});
  INFO(derived.err);
  REQUIRE(derived.exit == 0);
  const json other = json::parse(derived.out);
  CHECK(other.at("name") != name);
  CHECK(json::parse(stack.run("bob", {"resolve", npub, "--derived", "--json"}).out).at("name") ==
        other.at("name"));
}

TEST_CASE("an npub that announces several names is refused with all of them, everywhere") {
  const Stack stack;
  const std::string first = stack.init("ann").at("name");
  stack.init("bob");
  const std::string npub = npub_of(stack, "ann");
  write(stack.folder() / "ann/site/index.html", "one");
  REQUIRE(stack.run("ann", {"key", "generate", "blog", "--type", "ed25519"}).exit == 0);
  REQUIRE(stack.run("ann", {"publish", "self", "site"}).exit == 0);
  const Ran blog = stack.run("ann", {"publish", "blog", "site", "--json"});
  INFO(blog.err);
  REQUIRE(blog.exit == 0);
  const std::string second = json::parse(blog.out).at("name");
  const auto refused = [&](const std::string& person, std::vector<std::string> arguments) {
    const Ran ran = stack.run(person, std::move(arguments));
    INFO(ran.err);
    CHECK(ran.exit != 0);
    CHECK(ran.err.find(first) != std::string::npos);
    CHECK(ran.err.find(second) != std::string::npos);
    CHECK(ran.err.find("2") != std::string::npos);
  };
  refused("ann", {"publish", npub, "site"});
  refused("bob", {"resolve", npub});
  refused("bob", {"get", npub, "-o", "out"});
  refused("bob", {"watch", npub, "--mirror", "copy"});
  // Nothing was published by the refused one.
  CHECK(json::parse(stack.run("bob", {"resolve", first, "--json"}).out).at("sequence") == "1");
}

TEST_CASE("an npub of somebody else, or one that cannot be looked up now, publishes nothing") {
  const Stack stack;
  stack.init("ann");
  stack.init("bob");
  write(stack.folder() / "bob/site/index.html", "one");
  const Ran foreign = stack.run("bob", {"publish", npub_of(stack, "ann"), "site"});
  CHECK(foreign.exit == 1);
  INFO(foreign.err);
  CHECK(foreign.err.find("none of our keys is npub1") != std::string::npos);
  auto away = stack.command("bob", {"publish", npub_of(stack, "bob"), "site", "--timeout", "2s"});
  away.environment["IPNSCAST_RELAYS_URLS"] = "ws://127.0.0.1:1";
  const Ran unknown = test::run(away, kSoon);
  INFO(unknown.err);
  CHECK(unknown.exit == 3);
  CHECK(unknown.err.find("give the name or the label of its key") != std::string::npos);
}
