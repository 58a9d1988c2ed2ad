// Who may publish to the embedded relay and see what: NIP-42, NIP-70, writers, owner-private mode.
#include <algorithm>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/server/own_address.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/relays/relay_stage.h"

using namespace ipnscast;
using namespace ipnscast::test;

namespace {

RelayOptions owner_private() {
  RelayOptions out;
  out.owner_private = true;
  return out;
}

// The challenge among what the client has heard, which is taken.
std::string challenge_of(Stage& stage, ServerConnectionId who) {
  for (const RelayMessage& message : stage.hears(who)) {
    if (const auto* challenge = std::get_if<AuthChallenge>(&message)) return challenge->challenge;
  }
  return "";
}

Filter private_of(const SecretKey& author) {
  Filter out = kinds({30078});
  out.authors = {author.public_key()};
  return out;
}

Event hint(uint8_t author, int64_t at, const std::string& d = "x") {
  return event_of(key(author), 30078, at, {{"d", d}});
}

size_t events_among(const std::vector<RelayMessage>& messages) {
  return std::count_if(messages.begin(), messages.end(), [](const RelayMessage& message) {
    return std::holds_alternative<EventMessage>(message);
  });
}

}  // namespace

TEST_CASE("a relay that asks nobody who they are sends no challenge until something needs one") {
  Stage stage;
  CHECK(stage.hears(kAlice).empty());
  const Event event = event_of(key(1), 1, kTime, {{"-"}});
  stage.say(kAlice, publish(event));
  const auto heard = stage.hears(kAlice);
  REQUIRE(heard.size() == 2);
  const auto challenge = std::get<AuthChallenge>(heard[0]).challenge;
  CHECK(challenge.size() >= 16);
  CHECK(reason_prefix(std::get<OkMessage>(heard[1]).reason) == "auth-required");
  stage.say(kAlice, publish(event));
  CHECK(stage.hears(kAlice).size() == 1);  // the challenge stands

  SECTION("NIP-70: the author may publish it, once it has proved its key") {
    CHECK(stage.prove(kAlice, key(1), challenge).accepted);
    CHECK(stage.offer(kAlice, event).accepted);
    CHECK(reason_prefix(stage.offer(kBob, event).reason) == "auth-required");
  }
  SECTION("NIP-70: another one may not, and is told so for good") {
    CHECK(stage.prove(kAlice, key(2), challenge).accepted);
    CHECK(reason_prefix(stage.offer(kAlice, event).reason) == "restricted");
    CHECK(stage.ask(kinds({1})).empty());
  }
}

TEST_CASE("NIP-42: a proof must answer this connection's challenge, now, at this relay") {
  RelayOptions options = owner_private();
  options.is_own_url = [](const RelayUrl& url) { return url.host() == "relay.test"; };
  Stage stage(options);
  const std::string challenge = challenge_of(stage, kAlice);
  const std::string of_bob = challenge_of(stage, kBob);
  REQUIRE_FALSE(challenge.empty());
  CHECK(challenge != of_bob);
  const auto refused = [&](const OkMessage& ok) {
    return !ok.accepted && reason_prefix(ok.reason) == "invalid";
  };
  CHECK(refused(stage.prove(kAlice, key(1), of_bob)));
  CHECK(refused(stage.prove(kAlice, key(1), "")));
  CHECK(refused(stage.prove(kAlice, key(1), challenge, "ws://other.test/")));
  const Now now = stage.now;
  stage.now.wall.value -= 601'000;
  const Event early = sign_event(
      key(1), auth_event(*RelayUrl::parse("ws://relay.test"), challenge, stage.now.seconds()));
  stage.now = now;
  stage.say(kAlice, text(AuthRequest{early}));
  CHECK(refused(std::get<OkMessage>(stage.hears(kAlice).at(0))));
  Event forged =
      sign_event(key(1), auth_event(*RelayUrl::parse("ws://relay.test"), challenge, now.seconds()));
  forged.sig.bytes[3] ^= 1;
  stage.say(kAlice, text(AuthRequest{forged}));
  CHECK(refused(std::get<OkMessage>(stage.hears(kAlice).at(0))));
  forged = sign_event(key(1), {now.seconds(), 1, {{"challenge", challenge}}, ""});
  stage.say(kAlice, text(AuthRequest{forged}));
  CHECK(refused(std::get<OkMessage>(stage.hears(kAlice).at(0))));
  CHECK_FALSE(stage.offer(kAlice, hint(1, kTime)).accepted);

  CHECK(stage.prove(kAlice, key(1), challenge, "wss://relay.test/").accepted);
  CHECK(stage.offer(kAlice, hint(1, kTime)).accepted);
  CHECK(stage.core.counters().proved == 1);
}

TEST_CASE(
    "NIP-42: one connection proves several keys, within a bound, and its proofs end with it") {
  RelayOptions options = owner_private();
  options.max_keys = 2;
  Stage stage(options);
  const std::string challenge = challenge_of(stage, kAlice);
  for (const uint8_t number : {1, 2}) CHECK(stage.prove(kAlice, key(number), challenge).accepted);
  CHECK(reason_prefix(stage.prove(kAlice, key(3), challenge).reason) == "rate-limited");
  CHECK(stage.prove(kAlice, key(2), challenge).accepted);
  for (const uint8_t number : {1, 2}) CHECK(stage.offer(kAlice, hint(number, kTime)).accepted);
  CHECK(reason_prefix(stage.offer(kAlice, hint(3, kTime)).reason) == "restricted");

  stage.core.closed(kAlice);
  stage.core.opened(kAlice);
  stage.finish();
  CHECK(challenge_of(stage, kAlice) != challenge);
  CHECK(reason_prefix(stage.offer(kAlice, hint(1, kTime + 1)).reason) == "auth-required");
}

TEST_CASE("NIP-42: who has not answered the first challenge hears it once more beside a refusal") {
  Stage stage(owner_private());
  const std::string challenge = challenge_of(stage, kAlice);
  stage.say(kAlice, req("own", private_of(key(1))));
  const auto heard = stage.hears(kAlice);
  REQUIRE(heard.size() == 2);
  CHECK(std::get<AuthChallenge>(heard[0]).challenge == challenge);
  stage.say(kAlice, req("own", private_of(key(1))));
  CHECK(stage.hears(kAlice).size() == 1);
  const std::string of_bob = challenge_of(stage, kBob);
  CHECK_FALSE(stage.prove(kBob, key(1), challenge).accepted);
  stage.say(kBob, req("own", private_of(key(1))));
  CHECK(stage.hears(kBob).size() == 1);  // it knows where to find it
}

TEST_CASE("NIP-42: proofs are no events: none is stored, served or taken by EVENT") {
  Stage stage(owner_private());
  const std::string challenge = challenge_of(stage, kAlice);
  stage.say(kBob, req("all", Filter{}));
  stage.hears(kBob);
  CHECK(stage.prove(kAlice, key(1), challenge).accepted);
  const Event proof =
      sign_event(key(1), auth_event(*RelayUrl::parse("ws://relay.test"), challenge, {kTime}));
  CHECK(reason_prefix(stage.offer(kAlice, proof).reason) == "invalid");
  CHECK(stage.hears(kBob).empty());
}

TEST_CASE("only the keys on the list may publish, whoever brings their events, and anybody reads") {
  RelayOptions options;
  options.writers = {key(1).public_key(), key(2).public_key()};
  Stage stage(options);
  CHECK(stage.offer(kAlice, event_of(key(1), 1, kTime)).accepted);
  CHECK(stage.offer(kBob, event_of(key(2), 20001, kTime)).accepted);
  const OkMessage refused = stage.offer(kAlice, event_of(key(3), 1, kTime));
  CHECK_FALSE(refused.accepted);
  CHECK(reason_prefix(refused.reason) == "restricted");
  CHECK(stage.ask(kinds({1})).size() == 1);
}

TEST_CASE("S18: in owner-private mode kind 30078 is taken from its proved author only") {
  Stage stage(owner_private());
  CHECK(reason_prefix(stage.offer(kAlice, hint(1, kTime)).reason) == "auth-required");
  const std::string challenge = challenge_of(stage, kBob);
  CHECK(stage.prove(kBob, key(2), challenge).accepted);
  CHECK(reason_prefix(stage.offer(kBob, hint(1, kTime)).reason) == "restricted");
  CHECK(stage.offer(kBob, hint(2, kTime)).accepted);
  CHECK(stage.offer(kAlice, event_of(key(1), 30079, kTime, {{"d", "x"}})).accepted);
}

TEST_CASE("S18: in owner-private mode kind 30078 reaches its author only, by whatever way") {
  Stage stage(owner_private());
  const std::string of_alice = challenge_of(stage, kAlice);
  const std::string of_bob = challenge_of(stage, kBob);
  REQUIRE(stage.prove(kAlice, key(1), of_alice).accepted);
  const Event first = hint(1, kTime);
  REQUIRE(stage.offer(kAlice, first).accepted);

  SECTION("REQ that names the kind: prove a key first; another key's is refused for good") {
    stage.say(kBob, req("s", kinds({30078})));
    CHECK(reason_prefix(std::get<ClosedMessage>(stage.hears(kBob).back()).reason) ==
          "auth-required");
    REQUIRE(stage.prove(kBob, key(2), of_bob).accepted);
    stage.say(kBob, req("s", private_of(key(1))));
    CHECK(reason_prefix(std::get<ClosedMessage>(stage.hears(kBob).back()).reason) == "restricted");
    CHECK(stage.ask(kinds({30078})).empty());
  }
  SECTION("REQ that does not name it: the others come") {
    const Event note = event_of(key(1), 1, kTime);
    stage.offer(kAlice, note);
    Filter by_id;
    by_id.ids = {first.id};
    Filter by_d;
    by_d.tags['d'] = {"x"};
    Filter by_author;
    by_author.authors = {key(1).public_key()};
    CHECK(stage.ask(by_id).empty());
    CHECK(stage.ask(by_d).empty());
    CHECK(stage.ask(by_author) == std::vector<Event>{note});
    CHECK(stage.ask(Filter{}) == std::vector<Event>{note});
    REQUIRE(stage.prove(kBob, key(1), of_bob).accepted);
    CHECK(stage.ask(by_d) == std::vector<Event>{first});
    CHECK(stage.ask(by_author).size() == 2);
  }
  SECTION("a hidden event takes no place within a limit") {
    const Event note = event_of(key(1), 1, kTime - 5);
    stage.offer(kAlice, note);
    Filter newest;
    newest.limit = 1;
    CHECK(stage.ask(newest) == std::vector<Event>{note});
  }
  SECTION("live events") {
    stage.say(kBob, req("live", Filter{}));
    stage.say(kAlice, req("live", private_of(key(1))));
    stage.hears(kBob);
    stage.hears(kAlice);
    stage.say(kAlice, publish(hint(1, kTime + 1)));
    CHECK(events_among(stage.hears(kAlice)) == 1);
    CHECK(stage.hears(kBob).empty());
    REQUIRE(stage.prove(kBob, key(1), of_bob).accepted);
    stage.say(kAlice, publish(hint(1, kTime + 2)));
    CHECK(events_among(stage.hears(kBob)) == 1);
  }
  SECTION("COUNT") {
    const auto count = [&](const Filter& filter) {
      stage.say(kBob, text(CountRequest{"c", {filter}}));
      return stage.hears(kBob).back();
    };
    CHECK(reason_prefix(std::get<ClosedMessage>(count(kinds({30078}))).reason) == "auth-required");
    CHECK(std::get<CountMessage>(count(Filter{})).count == 0);
    REQUIRE(stage.prove(kBob, key(1), of_bob).accepted);
    CHECK(std::get<CountMessage>(count(kinds({30078}))).count == 1);
  }
  SECTION("reconciliation") {
    const auto items = [&](const Filter& filter) -> RelayMessage {
      stage.say(kBob,
                text(NegOpenRequest{"n", filter, NegentropyInitiator(NegentropySet()).start()}));
      return stage.hears(kBob).back();
    };
    CHECK(reason_prefix(std::get<NegError>(items(kinds({30078}))).reason) == "auth-required");
    const NegentropySet nothing;
    NegentropyInitiator stranger(nothing);
    CHECK(stranger.receive(std::get<NegMessage>(items(Filter{})).message));
    CHECK(stranger.need().empty());
    REQUIRE(stage.prove(kBob, key(1), of_bob).accepted);
    NegentropyInitiator owner(nothing);
    CHECK(owner.receive(std::get<NegMessage>(items(Filter{})).message));
    CHECK(owner.need() == std::vector<EventId>{first.id});
  }
  SECTION("publishing it again does not tell a stranger that it is there") {
    CHECK(reason_prefix(stage.offer(kBob, first).reason) == "auth-required");
  }
}

TEST_CASE("NIP-42: a relay knows its own addresses, and no one else's") {
  const auto knows = [](const server::OwnAddress& own, const char* url) {
    return own(*RelayUrl::parse(url));
  };
  const server::OwnAddress loopback{"127.0.0.1", 7777, {*RelayUrl::parse("wss://relay.example")}};
  for (const char* url : {"ws://127.0.0.1:7777", "ws://localhost:7777/", "wss://LOCALHOST:7777",
                          "wss://relay.example/", "ws://[::1]:7777"})
    CHECK(knows(loopback, url));
  for (const char* url :
       {"ws://127.0.0.1:7778", "ws://localhost", "wss://evil.example", "ws://evil.example:7777",
        "wss://relay.example/other", "wss://relay.example.evil.example"})
    CHECK_FALSE(knows(loopback, url));
  const server::OwnAddress everywhere{"0.0.0.0", 7777, {}};
  CHECK(knows(everywhere, "ws://127.0.0.1:7777"));
  CHECK_FALSE(knows(everywhere, "ws://0.0.0.1:7777"));
  CHECK_FALSE(knows(everywhere, "ws://203.0.113.7:7777"));
}
