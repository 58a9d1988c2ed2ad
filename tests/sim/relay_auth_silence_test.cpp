// Relays that take an AUTH and say nothing of it (NIP-42).
#include "ipnscast/tests/sim/relay_machine.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::nostr;
using namespace ipnscast::test;

namespace {

Event proof() { return sign_event(own_key(), {{1}, 22242, {{"challenge", "c"}}, ""}); }

// Refused once, and the AUTH is on its way.
struct Proving : Machine {
  Proving() {
    start();
    open();
    hear(AuthChallenge{"c"});
  }
  Relay::Actions prove() {
    return act(
        [&](auto& out) { relay.auth_signed(own_key().public_key(), proof(), clock.now(), out); });
  }
  std::vector<std::string> sent_within(int seconds) {
    std::vector<std::string> out;
    for (int i = 0; i < seconds; ++i) {
      clock.advance(Milliseconds(1'000));
      for (std::string& frame : sent(tick())) out.push_back(std::move(frame));
    }
    return out;
  }
};

}  // namespace

TEST_CASE("E6 an event goes out again, before its deadline, where an AUTH gets no OK") {
  Proving m;
  const Event event = event_at(1);
  m.publish(event, Milliseconds(10'000));
  CHECK(count<Relay::SignAuth>(m.hear(OkMessage{event.id, false, "auth-required: x"})) == 1);
  CHECK(sent(m.prove()).size() == 1);
  const auto again = m.sent_within(4);
  REQUIRE(again.size() == 1);
  CHECK(again[0].starts_with("[\"EVENT\""));
  CHECK(outcome(m.hear(OkMessage{event.id, true, ""}))->state == PublishState::acknowledged);
}

TEST_CASE("E6 a REQ is made again soon where an AUTH gets no OK") {
  Proving m;
  m.subscribe({{.kinds = {1}}});
  CHECK(count<Relay::SignAuth>(m.hear(ClosedMessage{"s", "auth-required: x"})) == 1);
  m.prove();
  const auto again = m.sent_within(4);
  REQUIRE(again.size() == 1);
  CHECK(again[0].starts_with("[\"REQ\""));
  CHECK(count<Relay::ReachedEnd>(m.hear(EoseMessage{"s"})) == 1);
}

TEST_CASE("E6 a relay that takes long for the OK of an AUTH gets the event once more after it") {
  Proving m;
  const Event event = event_at(1);
  m.publish(event, Milliseconds(10'000));
  m.hear(OkMessage{event.id, false, "auth-required: x"});
  m.prove();
  CHECK(m.sent_within(3).size() == 1);
  CHECK(outcome(m.hear(OkMessage{event.id, false, "auth-required: x"})) == nullptr);
  CHECK(m.sent_within(3).empty());
  CHECK(sent(m.hear(OkMessage{proof().id, true, ""})).size() == 1);
  CHECK(outcome(m.hear(OkMessage{event.id, true, ""}))->state == PublishState::acknowledged);
}
