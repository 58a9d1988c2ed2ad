// One relay's state machine where the relay asks for AUTH (NIP-42) again and again: neither the
// relay nor whoever signs for us is asked in a circle.
#include "ipnscast/tests/sim/auth_gate.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::nostr;
using namespace ipnscast::test;

TEST_CASE("NIP-42 a relay that takes our AUTH and still refuses is asked twice, its signer once") {
  for_each_gate([](Gate& gate) {
    gate.connect();
    gate.subscribe();
    CHECK(gate.requests == 2);
    CHECK(gate.signatures == gate.fewest_signatures());
    CHECK(gate.state() == SubscriptionState::refused);
    CHECK(gate.m.relay.status("s")->reason ==
          "restricted: the relay took our AUTH and still refuses (auth-required: members only)");
    gate.pass(Seconds(600));
    CHECK(gate.requests == 2);
    gate.pass(Seconds(3'600));
    CHECK(gate.requests == 3);  // after an hour, as after any refusal
    CHECK(gate.signatures == gate.fewest_signatures());
  });
}

TEST_CASE("NIP-42 an event that a relay refuses after our AUTH is refused for good") {
  for_each_gate([](Gate& gate) {
    gate.connect();
    gate.publish(1);
    CHECK(gate.events == 2);
    REQUIRE(gate.outcomes.size() == 1);
    CHECK(gate.outcomes[0].state == PublishState::refused);
    CHECK(gate.outcomes[0].permanent);
    CHECK(gate.outcomes[0].reason.starts_with("restricted: "));
    for (int64_t i = 2; i <= 10; ++i) gate.publish(i);
    CHECK(gate.events == 11);  // each of the others once
    CHECK(gate.outcomes.size() == 10);
    CHECK(gate.signatures == gate.fewest_signatures());
  });
}

TEST_CASE("NIP-42 a hundred subscriptions and events at one such relay need one signature") {
  for_each_gate([](Gate& gate) {
    gate.connect();
    for (int64_t i = 0; i < 100; ++i) {
      gate.subscribe("s" + std::to_string(i));
      gate.publish(i);
    }
    gate.pass(Seconds(60));
    CHECK(gate.requests <= 102);
    CHECK(gate.events <= 102);
    CHECK(gate.signatures <= 2);
  });
}

TEST_CASE("NIP-42 a member is served after one AUTH, for EVENT and REQ alike") {
  for_each_gate([](Gate& gate) {
    gate.members = {own_key().public_key()};
    gate.connect();
    gate.subscribe();
    gate.publish(1);
    CHECK(gate.state() == SubscriptionState::live);
    CHECK(gate.requests == 2);
    CHECK(gate.events == 1);
    CHECK(gate.outcomes.at(0).state == PublishState::acknowledged);
    CHECK(gate.signatures == gate.fewest_signatures());
  });
}

TEST_CASE(
    "NIP-42 a member's hundred subscriptions all go live, whatever the relay challenges with") {
  for_each_gate([](Gate& gate) {
    gate.members = {own_key().public_key()};
    gate.m.start();
    for (int i = 0; i < 100; ++i) gate.subscribe("s" + std::to_string(i));
    gate.react(gate.m.open());
    gate.pass(Seconds(60));
    for (int i = 0; i < 100; ++i)
      CHECK(gate.state("s" + std::to_string(i)) == SubscriptionState::live);
    CHECK(gate.requests <= 200);
    CHECK(gate.signatures <= 5);
  });
}

TEST_CASE("NIP-42 a refusal that crosses the OK of our AUTH is no answer to the proved key") {
  Gate gate;
  gate.members = {own_key().public_key()};
  gate.connect();
  gate.publish(1);  // proves the key
  // Written before that, at a relay that answers several messages at a time.
  Machine late;
  late.start();
  late.open();
  late.hear(AuthChallenge{"c"});
  const Event event = event_at(2);
  late.subscribe({{.kinds = {1}}});
  late.publish(event, Milliseconds(10'000));
  const Event first = event_at(3);
  late.publish(first, Milliseconds(10'000));
  CHECK(count<Relay::SignAuth>(late.hear(OkMessage{first.id, false, "auth-required: x"})) == 1);
  const Event auth = sign_event(own_key(), {{1}, 22242, {{"challenge", "c"}}, ""});
  late.act([&](auto& out) {
    late.relay.auth_signed(own_key().public_key(), auth, late.clock.now(), out);
  });
  late.hear(OkMessage{auth.id, true, ""});
  CHECK(sent(late.hear(ClosedMessage{"s", "auth-required: x"})).size() == 1);
  CHECK(late.relay.status("s")->state == SubscriptionState::requested);
  CHECK(sent(late.hear(OkMessage{event.id, false, "auth-required: x"})).size() == 1);
  late.hear(EoseMessage{"s"});
  CHECK(late.relay.status("s")->state == SubscriptionState::live);
  CHECK(outcome(late.hear(OkMessage{event.id, true, ""}))->state == PublishState::acknowledged);
}

TEST_CASE("NIP-42 a relay that forgets us later gets a new proof for its new challenge") {
  Gate gate;
  gate.fresh_challenges = gate.forgets = true;
  gate.members = {own_key().public_key()};
  gate.connect();
  gate.subscribe();
  CHECK(gate.state() == SubscriptionState::live);
  for (int hour = 1; hour <= 24; ++hour) {
    gate.pass(Seconds(3'600));
    gate.refuse(ClosedMessage{"s", "auth-required: your session is over"},
                [&](auto actions) { gate.react(std::move(actions)); });
    CHECK(gate.state() == SubscriptionState::live);
    gate.proved.clear();
    gate.publish(hour);
    CHECK(gate.outcomes.at(static_cast<size_t>(hour) - 1).state == PublishState::acknowledged);
  }
  CHECK(gate.signatures == 49);
}

TEST_CASE("NIP-42 of two keys the second is proved where the first did not help") {
  const PublicKey second = Gate::second_key().public_key();
  Gate gate{.m = Machine(1, {own_key().public_key(), second})};
  gate.members = {second};
  gate.connect();
  gate.react(gate.m.act([&](auto& out) {
    gate.m.relay.subscribe("s", CatchUp::share({{.kinds = {1}}}), {}, gate.m.clock.now(), out);
  }));
  CHECK(gate.state() == SubscriptionState::refused);  // the first one alone is useful for this
  gate.react(gate.m.act([&](auto& out) {
    gate.m.relay.subscribe("mine", CatchUp::share({{.authors = {second}, .kinds = {1}}}), {},
                           gate.m.clock.now(), out);
  }));
  CHECK(gate.state("mine") == SubscriptionState::live);
  CHECK(gate.signatures == 2);
}

TEST_CASE("NIP-42 a signer that does not answer, or whom the relay refuses, is not asked at once") {
  for (const bool signer_works : {false, true}) {
    for_each_gate([&](Gate& gate) {
      gate.signer_works = signer_works;
      gate.takes_auth = false;
      gate.connect();
      gate.subscribe();
      CHECK(gate.state() == SubscriptionState::refused);
      for (int64_t i = 0; i < 100; ++i) gate.publish(i);
      gate.pass(Seconds(120));
      CHECK(gate.signatures <= (gate.fresh_challenges ? 9u : 1u));
      CHECK(gate.requests <= 2);
      CHECK(gate.events <= 101);
      for (const RelayOutcome& outcome : gate.outcomes) CHECK_FALSE(outcome.permanent);
    });
  }
}

TEST_CASE("NIP-42 a signer that was away is asked again later") {
  Gate gate;
  gate.members = {own_key().public_key()};
  gate.signer_works = false;
  gate.connect();
  gate.publish(1);
  REQUIRE(gate.outcomes.size() == 1);
  CHECK_FALSE(gate.outcomes[0].permanent);
  gate.signer_works = true;
  gate.pass(Seconds(301));
  gate.publish(2);
  REQUIRE(gate.outcomes.size() == 2);
  CHECK(gate.outcomes[1].state == PublishState::acknowledged);
}

TEST_CASE("NIP-42 a flood of challenges is answered with pauses, the latest one in the end") {
  Gate gate;
  gate.members = {own_key().public_key()};
  gate.takes_auth = false;
  gate.connect();
  gate.m.relay.announced(*parse_relay_information(R"({"limitation":{"auth_required":true}})"));
  gate.subscribe();
  for (int i = 0; i < 3'600; ++i) {
    gate.challenge = "flood" + std::to_string(i);
    gate.react(gate.m.hear(AuthChallenge{gate.challenge}));
    gate.pass(Seconds(1));
  }
  CHECK(gate.signatures <= 15);
  CHECK(gate.requests <= 15);
  gate.takes_auth = true;
  gate.challenge = "last";
  gate.react(gate.m.hear(AuthChallenge{"last"}));
  gate.pass(Seconds(7'300));
  CHECK(gate.state() == SubscriptionState::live);
}

TEST_CASE("NIP-42 NIP-77 a NEG-OPEN that is refused for want of AUTH is not sent again") {
  Machine m;
  RelayInformation information;
  information.supported_nips = {1, 77};
  m.relay.announced(information);
  m.start();
  m.open();
  m.hear(AuthChallenge{"c"});
  m.act([&](auto& out) {
    m.relay.subscribe("s", CatchUp::share({{.kinds = {1}}}), {std::nullopt, true}, m.clock.now(),
                      out);
  });
  REQUIRE(count<Relay::NeedKnown>(m.hear(EoseMessage{"s"})) == 1);
  m.act([&](auto& out) { m.relay.known("s", {}, m.clock.now(), out); });
  const auto plainly = sent(m.hear(NegError{"s", "auth-required: members only"}));
  REQUIRE(plainly.size() == 1);
  CHECK(plainly[0].starts_with("[\"REQ\",\"s\""));
  size_t later = 0;
  m.hear(EoseMessage{"s"});
  for (int i = 0; i < 100; ++i) {
    m.clock.advance(Milliseconds(1'000));
    later += sent(m.tick()).size();
  }
  CHECK(later == 0);
  CHECK(m.relay.status("s")->state == SubscriptionState::live);
}
