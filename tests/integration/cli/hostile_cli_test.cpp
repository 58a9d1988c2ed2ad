// What strangers write into pointers, lists and answers, as a user meets it (R39).
#include <csignal>

#include "ipnscast/nostr/event/nip19.h"
#include "ipnscast/sync/hint/hint.h"
#include "ipnscast/tests/integration/cli/cli_stack.h"
#include "ipnscast/tests/support/gateways/scripted_http_server.h"
#include "ipnscast/tests/support/relays/trap.h"

using namespace ipnscast;
using namespace ipnscast::test;

namespace {

// Somebody who announces a name at the stack's relay, and somebody who reads.
struct Story {
  Story() {
    author = stack.init("author");
    stack.init("reader");
    write(stack.folder() / "author" / "page.txt", "one");
    const Ran published = stack.run("author", {"publish", "self", "page.txt"});
    INFO(published.err);
    REQUIRE(published.exit == 0);
  }
  std::string name() const { return author["name"]; }
  nostr::PublicKey key() const { return *nostr::parse_public_key(std::string(author["npub"])); }
  std::string naddr(std::vector<std::string> relays) const {
    return *nostr::encode(
        nostr::AddressPointer{{sync::kHintKind, key(), "ipns-sync-" + name()}, std::move(relays)});
  }
  std::string nprofile(std::vector<std::string> relays) const {
    return *nostr::encode(nostr::ProfilePointer{key(), std::move(relays)});
  }

  Stack stack;
  json author;
};

// How many lines of this text contain the word.
int lines_with(const std::string& text, const std::string& word) {
  int count = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) count += line.find(word) != line.npos ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("watch reaches no relay at home that an naddr names, and says so in one line (R39)") {
  const Story story;
  Trap four("127.0.0.1");
  Trap six("::1", four.port_number());
  const std::string hostile = "ws://127.0.0.1:" + four.port();
  Process watching(story.stack.command(
      "reader", {"watch", story.naddr({hostile, "wss://localhost:" + four.port(),
                                       "ws://[::1]:" + four.port(), story.stack.relay_url()})}));
  INFO(watching.output());
  CHECK(watching.wait_for_line("relay \"" + hostile + "\" is not used: somebody else named it",
                               kSoon));
  CHECK(watching.wait_for_line(story.name(), kSoon));
  watching.signal(SIGTERM);
  const auto ended = watching.wait(kSoon);
  REQUIRE(ended);
  CHECK(lines_with(ended->err, "\"" + hostile + "\"") == 1);
  CHECK(lines_with(ended->err, story.stack.relay_url()) == 0);  // that one is ours
  CHECK(four.caught() == 0);
  CHECK(six.caught() == 0);
}

TEST_CASE("an nprofile and a relay list that lead home are told apart from our relays (R39)") {
  const Story story;
  Trap trap;
  const std::string hostile = "ws://127.0.0.1:" + trap.port();
  const std::string wss = "wss://localhost:" + trap.port();
  const Ran list = story.stack.run("author", {"event", "relay-list", "--relay", hostile, "--relay",
                                              wss, "--relay", story.stack.relay_url()});
  REQUIRE(list.exit == 0);
  Command publish = story.stack.command("author", {"event", "publish"});
  publish.input = list.out;
  REQUIRE(run(publish, kSoon).exit == 0);

  for (const std::string& target : {story.nprofile({hostile, wss}), story.nprofile({}),
                                    std::string(story.author["npub"]), story.naddr({hostile})}) {
    INFO(target);
    const Ran resolved = story.stack.run("reader", {"resolve", target});
    INFO(resolved.out << resolved.err);
    CHECK(resolved.exit == 0);
    CHECK(resolved.out.find(story.name()) != std::string::npos);
    const Ran got = story.stack.run("reader", {"get", target, "--output", "-"});
    INFO(got.err);
    CHECK(got.exit == 0);
    CHECK(got.out == "one");
  }
  const Ran told = story.stack.run("reader", {"resolve", story.nprofile({hostile})});
  CHECK(lines_with(told.err, "relay \"" + hostile + "\" is not used: somebody else named it") == 1);
  CHECK(trap.caught() == 0);
}

TEST_CASE("a gateway that redirects everything changes nothing and reads nothing at home (R39)") {
  const Story story;
  Trap trap;
  ScriptedHttpServer gateway([&trap](const ScriptedRequest& request) {
    return ScriptedAnswer{
        .status = request.method == "GET" ? 302 : 307,
        .headers = {{"Location", "http://127.0.0.1:" + trap.port() + "/api/v0/pin/rm?arg=x"}}};
  });
  Command resolve = story.stack.command("reader", {"resolve", story.name(), "--timeout", "10s"});
  resolve.environment["IPNSCAST_GATEWAYS_NODES"] = gateway.url();
  const Ran resolved = run(resolve, kSoon);
  INFO(resolved.out << resolved.err);
  CHECK(resolved.exit != 0);
  CHECK(resolved.out.find("is not followed: 127.0.0.1 is not a public address") !=
        std::string::npos);
  Command get = story.stack.command(
      "reader", {"get", "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy", "--timeout",
                 "10s", "--output", "-"});
  get.environment["IPNSCAST_GATEWAYS_NODES"] = gateway.url();
  const Ran got = run(get, kSoon);
  INFO(got.err);
  CHECK(got.exit != 0);
  CHECK(lines_with(got.err, "is not a public address") == 1);
  CHECK(gateway.connections() > 0);
  CHECK(trap.caught() == 0);
}

TEST_CASE("event req says in one line that a relay sends it elsewhere, and goes nowhere (R39)") {
  const Stack stack;
  Trap trap;
  ScriptedHttpServer relay([&trap](const ScriptedRequest&) {
    return ScriptedAnswer{.status = 302,
                          .headers = {{"Location", "http://127.0.0.1:" + trap.port() + "/"}}};
  });
  const std::string url = "ws" + relay.url().substr(4);
  const Ran asked = stack.run("reader", {"event", "req", "{\"kinds\":[1]}", "--relay", url});
  INFO(asked.err);
  CHECK(asked.exit != 0);
  CHECK(lines_with(asked.err, "HTTP 302") == 1);
  CHECK(trap.caught() == 0);
}
