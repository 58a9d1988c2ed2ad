// An naddr for a name that we publish or follow (CLI.md, NIP-19).
#include <csignal>

#include "ipnscast/nostr/event/nip19.h"
#include "ipnscast/tests/integration/cli/cli_stack.h"

using namespace ipnscast;
using namespace ipnscast::test;

namespace {

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

nostr::AddressPointer pointer_in(const std::string& naddr) {
  const auto decoded = nostr::decode_nip19(naddr);
  REQUIRE(decoded);
  return std::get<nostr::AddressPointer>(*decoded);
}

// One clear line and nothing else.
void check_refused(const Ran& ran, int exit, const std::string& words) {
  INFO(ran.out << ran.err);
  CHECK(ran.exit == exit);
  CHECK(ran.out.empty());
  CHECK(ran.err.find(words) != std::string::npos);
  CHECK(std::count(ran.err.begin(), ran.err.end(), '\n') == 1);
}

struct Author {
  Author() : facts(stack.init("author")) { write(page(), "one"); }
  fs::path page() const { return stack.folder() / "author" / "page.txt"; }
  std::string name() const { return facts["name"]; }
  std::string npub() const { return facts["npub"]; }
  void publish() const {
    const Ran published = stack.run("author", {"publish", "self", "page.txt"});
    INFO(published.err);
    REQUIRE(published.exit == 0);
  }

  Stack stack;
  json facts;
};

}  // namespace

TEST_CASE("an naddr names the hint's kind, author and d, and the relays of the configuration") {
  const Author author;
  // A key may be shared before anything is published under it.
  const Ran before = author.stack.run("author", {"share", "self"});
  author.publish();
  for (const std::string& target : {std::string("self"), author.name(), author.npub()}) {
    const Ran shared = author.stack.run("author", {"share", target});
    INFO(target << ": " << shared.err);
    REQUIRE(shared.exit == 0);
    CHECK(shared.out == before.out);
    const std::string naddr = first_line(shared.out);
    const auto pointer = pointer_in(naddr);
    CHECK(pointer.address.kind == 30078);
    CHECK(nostr::encode_npub(pointer.address.pubkey) == author.npub());
    CHECK(pointer.address.d == "ipns-sync-" + author.name());
    CHECK(pointer.relays == std::vector<std::string>{author.stack.relay_url()});
    CHECK(shared.err.find("ipnscast watch " + naddr + "\n") != std::string::npos);
    CHECK(shared.err.find("is in your own network") != std::string::npos);
  }
  const json facts = json::parse(author.stack.run("author", {"share", "self", "--json"}).out);
  CHECK(facts["naddr"] == first_line(before.out));
  CHECK(facts["name"] == author.name());
  CHECK(facts["author"] == author.npub());
  CHECK(facts["kind"] == 30078);
  CHECK(facts["d"] == "ipns-sync-" + author.name());
  CHECK(facts["relays"] == json::array({author.stack.relay_url()}));
}

TEST_CASE("whoever follows a name can share it on, with its author, also beside the watch") {
  const Author author;
  author.publish();
  author.stack.init("reader");
  Process watch(author.stack.command("reader", {"watch", author.name(), "--json"}));
  REQUIRE(watch.wait_for_line("\"change\"", kSoon));
  // The reader trusts nobody, so that a poll found the name.
  check_refused(author.stack.run("reader", {"share", author.name()}), 1,
                "give the npub of who announces it");
  Command trusting = author.stack.command("reader", {"share", author.name(), "--json"});
  trusting.environment["IPNSCAST_TRUST_AUTHORS"] = author.npub();
  const Ran by_name = run(trusting, kSoon);
  INFO(by_name.err);
  REQUIRE(by_name.exit == 0);
  const Ran by_npub = author.stack.run("reader", {"share", author.npub(), "--json"});
  INFO(by_npub.err);
  REQUIRE(by_npub.exit == 0);
  CHECK(by_npub.out == by_name.out);
  CHECK(json::parse(by_npub.out)["author"] == author.npub());
  const std::string naddr = json::parse(by_npub.out)["naddr"];

  author.stack.init("third");
  Process third(author.stack.command("third", {"watch", naddr, "--json"}));
  REQUIRE(third.wait_for_line("\"change\"", kSoon));
  write(author.page(), "two");
  author.publish();
  const auto second = third.wait_for_line("\"sequence\":\"2\"", kSoon);
  REQUIRE(second);
  CHECK(json::parse(*second)["source"] == "nostr");
  for (Process* process : {&watch, &third}) {
    process->signal(SIGINT);
    const auto ended = process->wait(kSoon);
    REQUIRE(ended);
    CHECK(ended->exit == 0);
  }
}

TEST_CASE("private, unknown and retracted names and nonsense are not shared, in one line each") {
  const Author author;
  const std::string other = author.stack.init("other")["name"];
  check_refused(author.stack.run("author", {"share", other}), 1, "neither published nor followed");
  check_refused(author.stack.run("author", {"share", "nonsense"}), 2, "\"nonsense\"");
  check_refused(author.stack.run("author", {"share"}), 2, "TARGET");
  author.publish();
  REQUIRE(author.stack.run("author", {"announce", "self", "--retract"}).exit == 0);
  check_refused(author.stack.run("author", {"share", "self"}), 1, "taken back");

  author.publish();
  for (const std::string& target : {std::string("self"), author.name()}) {
    Command hidden = author.stack.command("author", {"share", target});
    hidden.environment["IPNSCAST_RELAYS_PRIVATE"] = "true";
    check_refused(run(hidden, kSoon), 1, "to your own devices only");
  }
  Command alone = author.stack.command("author", {"share", "self"});
  alone.environment["IPNSCAST_RELAYS_URLS"] = "";
  check_refused(run(alone, kSoon), 2, "no relay");
}

TEST_CASE("a token in a relay's URL is not given away (G7)") {
  const Author author;
  Command share = author.stack.command("author", {"share", "self", "--json"});
  share.environment["IPNSCAST_RELAYS_URLS"] =
      "wss://relay.example/inbox?token=hunter2,wss://open.example";
  const Ran shared = run(share, kSoon);
  INFO(shared.err);
  REQUIRE(shared.exit == 0);
  CHECK(json::parse(shared.out)["relays"] == json::array({"wss://open.example"}));
  CHECK(shared.err.find("hunter2") == std::string::npos);
  CHECK(shared.err.find("relay.example is left out") != std::string::npos);
  CHECK(shared.err.find("is in your own network") == std::string::npos);
}
