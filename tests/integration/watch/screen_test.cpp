// What `watch` shows to people, and what it gives to programs.
#include <csignal>

#include "ipnscast/tests/integration/cli/cli_stack.h"

using namespace ipnscast;
using namespace ipnscast::test;

namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// The command on a terminal of 100 columns, whose screen is the output.
Command on_terminal(Command command) {
  std::string line = "stty cols 100; exec";
  for (const std::string& word : command.argv) line += " '" + word + "'";
  command.argv = {"script", "-qefc", line, "/dev/null"};
  command.environment["TERM"] = "xterm";
  command.environment["NO_COLOR"] = "";
  return command;
}

// What is seen of it: without what paints.
std::string seen(const std::string& line) {
  std::string out;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\x1b') {
      while (i < line.size() && line[i] != 'm') ++i;
    } else if (line[i] != '\r') {
      out += line[i];
    }
  }
  return out;
}

// A name of ann's that is published, for others to follow.
std::string published(const Stack& stack) {
  const std::string name = stack.init("ann").at("name");
  stack.init("bob");
  write(stack.folder() / "ann/site/index.html", "one");
  REQUIRE(stack.run("ann", {"publish", "self", "site"}).exit == 0);
  return name;
}

}  // namespace

TEST_CASE("on a terminal a change is one short line under a line that says what is followed") {
  const Stack stack;
  const std::string name = published(stack);
  test::Process watch(on_terminal(stack.command("bob", {"watch", name, "--mirror", "copy"})));
  const auto opening = watch.wait_for_line("following ", kSoon);
  INFO(watch.output());
  REQUIRE(opening);
  CHECK(has(*opening, "following " + name + " over 1 relay (" + stack.relay_url() + ")"));
  CHECK(has(*opening, " and 2 gateways (" + stack.gateway_url()));
  const auto change = watch.wait_for_line("sequence 1", kSoon);
  REQUIRE(change);
  CHECK(has(*change, "\x1b[32mchange"));
  const std::string line = seen(*change);
  CHECK(line.size() <= 100);
  CHECK_FALSE(has(line, name));
  CHECK(has(line, "  k51..." + name.substr(name.size() - 6) + "  sequence 1  bafy..."));
  CHECK(watch.wait_for_line("added    index.html", kSoon));
}

TEST_CASE("nothing is painted where NO_COLOR stands, and in a pipe lines are whole") {
  const Stack stack;
  const std::string name = published(stack);
  Command plain = on_terminal(stack.command("bob", {"watch", name}));
  plain.environment["NO_COLOR"] = "1";
  test::Process watch(plain);
  const auto line = watch.wait_for_line("sequence 1", kSoon);
  INFO(watch.output());
  REQUIRE(line);
  CHECK_FALSE(has(watch.output(), "\x1b"));
  CHECK(has(*line, "k51..."));
  // The same change to a program.
  stack.init("carl");
  test::Process piped(stack.command("carl", {"watch", name}));
  const auto whole = piped.wait_for_line("sequence 1", kSoon);
  REQUIRE(whole);
  CHECK(has(*whole, "change    " + name + "  sequence 1  /ipfs/"));
  CHECK_FALSE(has(piped.output(), "\x1b"));
  CHECK_FALSE(has(piped.output(), "following "));
}

TEST_CASE("names that end alike are told apart on a terminal") {
  const Stack stack;
  const std::string name = published(stack);
  REQUIRE(stack.run("ann", {"key", "generate", "two", "--type", "ed25519"}).exit == 0);
  const Ran second = stack.run("ann", {"publish", "two", "site", "--json"});
  REQUIRE(second.exit == 0);
  const std::string other = json::parse(second.out).at("name");
  test::Process watch(on_terminal(stack.command("bob", {"watch", name, other})));
  const auto opening = watch.wait_for_line("following ", kSoon);
  INFO(watch.output());
  REQUIRE(opening);
  CHECK(has(*opening, "following 2 names ("));
  CHECK(has(*opening, "k51..." + name.substr(name.size() - 6)));
  CHECK(has(*opening, "k51..." + other.substr(other.size() - 6)));
}

TEST_CASE("who is announced by a key that is not trusted is told so, and how to hear it at once") {
  const Stack stack;
  const std::string npub = stack.init("ann").at("npub");
  stack.init("bob");
  write(stack.folder() / "ann/site/index.html", "one");
  const Ran first = stack.run("ann", {"publish", "self", "site", "--json"});
  REQUIRE(first.exit == 0);
  const std::string published = json::parse(first.out).at("name");
  {
    test::Process watch(stack.command("bob", {"watch", published}));
    const auto told = watch.wait_for_line("not trusted", kSoon);
    INFO(watch.output());
    REQUIRE(told);
    CHECK(has(*told, published + " is announced by " + npub));
    CHECK(has(*told, "--trust " + npub));
    CHECK(has(*told, "trust.authors"));
    watch.signal(SIGTERM);
    REQUIRE(watch.wait(kSoon));
  }
  test::Process trusting(stack.command("bob", {"watch", published, "--trust", npub, "--json"}));
  // A poll may be first while the relay is being connected to.
  std::string source;
  for (int i = 2; source != "nostr" && i < 20; ++i) {
    write(stack.folder() / "ann/site/index.html", std::to_string(i));
    REQUIRE(stack.run("ann", {"publish", "self", "site"}).exit == 0);
    const auto change = trusting.wait_for_line("\"sequence\":\"" + std::to_string(i) + "\"", kSoon);
    INFO(trusting.output());
    REQUIRE(change);
    source = json::parse(*change).at("source");
  }
  CHECK(source == "nostr");
  CHECK_FALSE(has(trusting.output(), "not trusted"));
  const Ran wrong = stack.run("bob", {"watch", published, "--trust", "npub1typo"});
  CHECK(wrong.exit == 2);
  CHECK(has(wrong.err, "--trust \"npub1typo\""));
}
