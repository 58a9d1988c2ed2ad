// What becomes of a subscription that a relay does not answer as NIP-01 says.
#include <set>

#include "ipnscast/tests/sim/relay_machine.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::nostr;
using namespace ipnscast::test;

namespace {

// The REQs that are sent within this time, second by second.
std::vector<ReqRequest> requests_within(Machine& m, Seconds time) {
  std::vector<ReqRequest> out;
  for (Seconds passed{0}; passed < time; passed += Seconds(1)) {
    m.clock.advance(Milliseconds(1'000));
    for (const std::string& frame : sent(m.tick())) {
      const auto message = parse_client_message(frame);
      REQUIRE(message);
      if (const auto* req = std::get_if<ReqRequest>(&*message)) out.push_back(*req);
    }
  }
  return out;
}

void subscribe(Machine& m, const SubscriptionId& id) {
  m.act([&](auto& out) {
    m.relay.subscribe(id, CatchUp::share({{.kinds = {1}}}), {}, m.clock.now(), out);
  });
}

Machine connected() {
  Machine m;
  m.start();
  m.open();
  return m;
}

}  // namespace

TEST_CASE("R18 a REQ that gets no answer is made again, and the first one's late end is none") {
  Machine m = connected();
  m.subscribe({{.kinds = {1}}});
  CHECK(requests_within(m, Seconds(29)).empty());
  const auto again = requests_within(m, Seconds(4));
  REQUIRE(again.size() == 1);
  CHECK(again[0].subscription != "s");
  CHECK(Relay::owner(again[0].subscription) == "s");
  CHECK(m.relay.counters().timeouts == 1);
  // The relay had stalled in the middle: nine events and the end of the first answer come now.
  for (int64_t t = 1; t <= 9; ++t) m.hear(EventMessage{"s", event_at(t)});
  CHECK(count<Relay::ReachedEnd>(m.hear(EoseMessage{"s"})) == 0);
  CHECK_FALSE(m.relay.covered("s"));
  CHECK(count<Relay::ReachedEnd>(m.hear(EoseMessage{again[0].subscription})) == 1);
  CHECK(m.relay.status("s")->state == SubscriptionState::live);
  CHECK(requests_within(m, Seconds(3600)).empty());  // what is live has no time-out
}

TEST_CASE("a late end is taken for as long as the REQ was not made again, and so are its events") {
  Machine m = connected();
  m.subscribe({{.kinds = {1}}});
  m.clock.advance(Milliseconds(30'000));
  m.tick();
  CHECK(m.relay.status("s")->state == SubscriptionState::backing_off);
  CHECK(count<Relay::Deliver>(m.hear(EventMessage{"s", event_at(5)})) == 1);
  CHECK(count<Relay::ReachedEnd>(m.hear(EoseMessage{"s"})) == 1);
  CHECK(m.relay.status("s")->state == SubscriptionState::live);
  CHECK(requests_within(m, Seconds(600)).empty());
}

TEST_CASE("a relay that answers with a NOTICE is asked again, and its words are the reason") {
  Machine m = connected();
  m.subscribe({{.kinds = {1}}});
  m.hear(NoticeMessage{"ERROR: bad req: filter has too many elements"});
  CHECK(m.relay.status("s")->reason == "ERROR: bad req: filter has too many elements");
  CHECK(requests_within(m, Seconds(33)).size() == 1);
}

TEST_CASE("a long answer is waited for while it comes, and not for ever") {
  Machine m = connected();
  m.subscribe({{.kinds = {1}}});
  int64_t t = 1'000'000;
  for (int i = 0; i < 29; ++i) {  // 580 seconds
    CHECK(requests_within(m, Seconds(20)).empty());
    m.hear(EventMessage{"s", event_at(--t)});
  }
  CHECK(requests_within(m, Seconds(25)).size() == 1);
}

TEST_CASE("while we do not read, a relay's silence is ours") {
  Machine m = connected();
  m.subscribe({{.kinds = {1}}});
  m.relay.reading(false, m.clock.now());
  CHECK(requests_within(m, Seconds(300)).empty());
  m.relay.reading(true, m.clock.now());
  CHECK(requests_within(m, Seconds(29)).empty());
  CHECK(requests_within(m, Seconds(4)).size() == 1);
}

TEST_CASE("a hundred REQs without an answer do not keep the others waiting for ever") {
  Machine m = connected();
  for (int i = 0; i < 150; ++i) subscribe(m, "s" + std::to_string(i));
  std::set<SubscriptionId> asked;
  for (const auto& req : requests_within(m, Seconds(70)))
    asked.insert(SubscriptionId(Relay::owner(req.subscription)));
  for (int i = 100; i < 150; ++i) CHECK(asked.count("s" + std::to_string(i)) == 1);
  CHECK(asked.size() == 150);
}

TEST_CASE("too many subscriptions, said of the only one, teaches nothing and delays it only") {
  Machine m = connected();
  m.subscribe({{.kinds = {1}}});
  m.hear(ClosedMessage{"s", "rate-limited: too many subscriptions"});
  CHECK(m.relay.status("s")->state == SubscriptionState::backing_off);
  CHECK_FALSE(m.relay.limits().max_subscriptions());
  CHECK(requests_within(m, Seconds(2)).size() == 1);
}

TEST_CASE(
    "a learned number of subscriptions is tried out again after an hour, one more at a time") {
  Machine m = connected();
  for (const char* id : {"a", "b", "c", "d", "e"}) subscribe(m, id);
  for (const char* id : {"a", "b", "c"}) m.hear(EoseMessage{id});
  for (const char* id : {"d", "e"}) m.hear(ClosedMessage{id, "blocked: too many subscriptions"});
  CHECK(m.relay.limits().max_subscriptions() == 3u);
  CHECK(m.relay.status("d")->state == SubscriptionState::waiting);
  CHECK(requests_within(m, Seconds(3'500)).empty());
  CHECK(requests_within(m, Seconds(150)).empty());  // four: three and a page
  const auto tried = requests_within(m, Seconds(3'560));
  REQUIRE(tried.size() == 1);
  m.hear(EoseMessage{tried[0].subscription});
  CHECK(m.relay.limits().max_subscriptions() == 5u);
  m.act([&](auto& out) { m.relay.unsubscribe("a", m.clock.now(), out); });
  CHECK(m.relay.status("d")->state != SubscriptionState::waiting);
  CHECK(m.relay.status("e")->state != SubscriptionState::waiting);
}

TEST_CASE("NIP-42 an AUTH without an OK is over after a while: the REQ is made, then backs off") {
  Machine m = connected();
  m.hear(AuthChallenge{"c"});
  m.subscribe({{.kinds = {1}}});
  CHECK(count<Relay::SignAuth>(m.hear(ClosedMessage{"s", "auth-required: please"})) == 1);
  CHECK(requests_within(m, Seconds(60)).empty());  // the signer takes its time
  const Event auth = sign_event(own_key(), {{1}, 22242, {{"challenge", "c"}}, ""});
  m.act([&](auto& out) { m.relay.auth_signed(own_key().public_key(), auth, m.clock.now(), out); });
  CHECK(requests_within(m, Seconds(11)).size() == 1);
  CHECK(count<Relay::SignAuth>(m.hear(ClosedMessage{"s", "auth-required: please"})) == 0);
  CHECK(m.relay.status("s")->state == SubscriptionState::backing_off);
  CHECK(requests_within(m, Seconds(2)).size() == 1);
  // Once more with each back-off; and an OK that comes late counts.
  CHECK(count<Relay::SignAuth>(m.hear(ClosedMessage{"s", "auth-required: please"})) == 1);
  m.act([&](auto& out) { m.relay.auth_signed(own_key().public_key(), auth, m.clock.now(), out); });
  CHECK(sent(m.hear(OkMessage{auth.id, true, ""})).size() == 1);
  CHECK(m.relay.status("s")->state == SubscriptionState::requested);
}

TEST_CASE("NIP-42 auth-required without a challenge does not end a subscription") {
  Machine m = connected();
  m.subscribe({{.kinds = {1}}});
  CHECK(count<Relay::SignAuth>(m.hear(ClosedMessage{"s", "auth-required: please"})) == 0);
  CHECK(m.relay.status("s")->state == SubscriptionState::needs_auth);
  size_t requests = 0;
  for (int i = 0; i < 600; ++i) {
    const size_t more = requests_within(m, Seconds(1)).size();
    requests += more;
    if (more > 0) m.hear(ClosedMessage{"s", "auth-required: please"});
  }
  CHECK(requests >= 5);
  CHECK(requests <= 60);  // each waits ten seconds for a challenge, and longer each time
  CHECK(m.relay.status("s")->state != SubscriptionState::refused);
  m.hear(AuthChallenge{"c"});  // at last
  if (m.relay.status("s")->state == SubscriptionState::backing_off) {
    REQUIRE(requests_within(m, Seconds(301)).size() == 1);
    CHECK(count<Relay::SignAuth>(m.hear(ClosedMessage{"s", "auth-required: please"})) == 1);
  }
  CHECK(m.relay.status("s")->state == SubscriptionState::needs_auth);
}

TEST_CASE("without a key that could help, auth-required is an answer") {
  Relay relay({}, Rng(1), {});
  Clock clock;
  Relay::Actions out;
  relay.start(clock.now(), out);
  relay.opened(clock.now(), out);
  relay.subscribe("s", CatchUp::share({{.kinds = {1}}}), {}, clock.now(), out);
  relay.frame(say(ClosedMessage{"s", "auth-required: please"}), clock.now(), out);
  CHECK(relay.status("s")->state == SubscriptionState::refused);
}
