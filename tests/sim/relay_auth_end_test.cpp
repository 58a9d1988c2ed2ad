// One relay's state machine where what NIP-42 proved comes to an end: the session at the relay, the
// connection, or the patience of whoever waits.
#include "ipnscast/tests/sim/auth_gate.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::nostr;
using namespace ipnscast::test;

TEST_CASE(
    "NIP-42 a session that ends at the relay goes on with a new proof, in any order of words") {
  for_each_gate([](Gate& gate) {
    gate.forgets = true;
    gate.members = {own_key().public_key()};
    gate.connect();
    gate.subscribe();
    REQUIRE(gate.state() == SubscriptionState::live);
    for (int day = 1; day <= 3; ++day) {
      const size_t before = gate.signatures;
      gate.pass(Seconds(7'200));
      gate.proved.clear();
      gate.refuse(ClosedMessage{"s", "auth-required: your session is over"},
                  [&](auto actions) { gate.react(std::move(actions)); });
      CHECK(gate.state() == SubscriptionState::live);
      gate.pass(Seconds(7'200));
      gate.proved.clear();
      gate.publish(day);
      REQUIRE(gate.outcomes.size() == static_cast<size_t>(day));
      CHECK(gate.outcomes.back().state == PublishState::acknowledged);
      CHECK(gate.signatures <= before + 2 * gate.fewest_signatures());
    }
  });
}

TEST_CASE("NIP-42 an event that a relay refuses after it served us stays in the outbox") {
  for_each_gate([](Gate& gate) {
    gate.members = {own_key().public_key()};
    gate.connect();
    gate.subscribe();
    REQUIRE(gate.state() == SubscriptionState::live);
    gate.members.clear();
    for (int64_t i = 1; i <= 10; ++i) gate.publish(i);
    gate.pass(Seconds(60));
    REQUIRE(gate.outcomes.size() == 10);
    for (const RelayOutcome& outcome : gate.outcomes) {
      CHECK(outcome.state == PublishState::refused);
      CHECK_FALSE(outcome.permanent);
    }
    CHECK(gate.events <= 30);
    CHECK(gate.signatures <= 3);
  });
}

TEST_CASE("NIP-42 an event waits for a challenge or for the OK of an AUTH, and not for ever") {
  for (const bool challenge : {false, true}) {
    Machine m;
    m.start();
    m.open();
    if (challenge) m.hear(AuthChallenge{"c"});
    const Event event = event_at(1);
    m.publish(event, Milliseconds(3'600'000));
    CHECK(outcome(m.hear(OkMessage{event.id, false, "auth-required: x"})) == nullptr);
    if (challenge) {
      const Event auth = sign_event(own_key(), {{1}, 22242, {{"challenge", "c"}}, ""});
      m.act([&](auto& out) {
        m.relay.auth_signed(own_key().public_key(), auth, m.clock.now(), out);
      });
    }
    size_t written = 0;
    for (int i = 0; i < 15; ++i) {
      m.clock.advance(Milliseconds(1'000));
      written += sent(m.tick()).size();
    }
    CHECK(written == 1);  // the event itself tells whether the relay takes it now
    const auto answer = m.hear(OkMessage{event.id, false, "auth-required: x"});
    REQUIRE(outcome(answer));
    CHECK(outcome(answer)->state == PublishState::refused);
    CHECK_FALSE(outcome(answer)->permanent);
  }
}

TEST_CASE("NIP-42 a phone that takes minutes to sign is waited for before an event is refused") {
  Machine m;
  m.start();
  m.open();
  m.hear(AuthChallenge{"c"});
  const Event event = event_at(1);
  m.publish(event, Milliseconds(3'600'000));
  CHECK(count<Relay::SignAuth>(m.hear(OkMessage{event.id, false, "auth-required: x"})) == 1);
  for (int i = 0; i < 300; ++i) {
    m.clock.advance(Milliseconds(1'000));
    CHECK(m.tick().empty());
  }
  const Event auth = sign_event(own_key(), {{1}, 22242, {{"challenge", "c"}}, ""});
  m.act([&](auto& out) { m.relay.auth_signed(own_key().public_key(), auth, m.clock.now(), out); });
  CHECK(sent(m.hear(OkMessage{auth.id, true, ""})).size() == 1);
  CHECK(outcome(m.hear(OkMessage{event.id, true, ""}))->state == PublishState::acknowledged);
}

TEST_CASE("NIP-42 a relay that closes its connections does not have the signer asked each time") {
  Gate gate;
  gate.takes_auth = false;
  gate.m.start();
  for (int minute = 0; minute < 240; ++minute) {
    gate.challenge = "c" + std::to_string(minute);
    gate.react(gate.m.open());
    gate.react(gate.m.hear(AuthChallenge{gate.challenge}));
    if (minute == 0) gate.subscribe();
    gate.pass(Seconds(59));
    gate.react(gate.m.close());
    gate.m.clock.advance(Milliseconds(1'000));
  }
  CHECK(gate.signatures <= 20);  // of 240
  gate.takes_auth = true;
  gate.members = {own_key().public_key()};
  gate.react(gate.m.open());
  gate.react(gate.m.hear(AuthChallenge{gate.challenge}));
  gate.pass(Seconds(7'300));
  CHECK(gate.state() == SubscriptionState::live);
}

TEST_CASE("NIP-42 a relay that serves us has its proof at once after a lost connection") {
  Gate gate;
  gate.members = {own_key().public_key()};
  gate.connect();
  gate.subscribe();
  for (int i = 1; i <= 20; ++i) {
    CHECK(gate.state() == SubscriptionState::live);
    gate.pass(Seconds(60));
    gate.react(gate.m.close());
    gate.proved.clear();
    gate.challenge = "c" + std::to_string(i);
    gate.react(gate.m.open());
  }
  CHECK(gate.state() == SubscriptionState::live);
  CHECK(gate.signatures == 21);
}

TEST_CASE("NIP-42 a challenge over and over does not keep a subscription waiting for its answer") {
  Machine m;
  m.start();
  m.open();
  m.hear(AuthChallenge{"c"});
  m.subscribe({{.kinds = {1}}});
  CHECK(count<Relay::SignAuth>(m.hear(ClosedMessage{"s", "auth-required: x"})) == 1);
  const Event auth = sign_event(own_key(), {{1}, 22242, {{"challenge", "c"}}, ""});
  m.act([&](auto& out) { m.relay.auth_signed(own_key().public_key(), auth, m.clock.now(), out); });
  size_t requests = 0;
  for (int i = 0; i < 15; ++i) {
    CHECK(m.hear(AuthChallenge{"c"}).empty());
    m.clock.advance(Milliseconds(1'000));
    requests += sent(m.tick()).size();
  }
  CHECK(requests == 1);
  CHECK(m.relay.status("s")->state == SubscriptionState::requested);
}
