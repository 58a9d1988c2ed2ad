// One relay's state machine on a virtual clock.
#include <set>

#include "ipnscast/tests/sim/relay_machine.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/sim_runs.h"

using namespace ipnscast;
using namespace ipnscast::nostr;
using namespace ipnscast::test;

TEST_CASE(
    "reconnects wait from one second to five minutes with jitter, and start over after a minute of "
    "health") {
  for (uint64_t seed = 1; seed <= sim_runs(200); ++seed) {
    INFO("seed " << seed);
    Machine m(seed);
    m.start();
    Milliseconds ceiling(1'000);
    for (int i = 0; i < 20; ++i) {
      m.close();
      const auto next = m.relay.next_tick();
      REQUIRE(next);
      const auto wait = std::chrono::duration_cast<Milliseconds>(*next - m.clock.steady);
      REQUIRE(wait > Milliseconds(500));
      REQUIRE(wait <= ceiling);
      m.clock.advance(wait - Milliseconds(1));
      REQUIRE(count<Relay::Connect>(m.tick()) == 0);
      m.clock.advance(Milliseconds(1));
      REQUIRE(count<Relay::Connect>(m.tick()) == 1);
      ceiling = std::min(ceiling * 2, Milliseconds(300'000));
    }
    m.open();
    m.clock.advance(Milliseconds(61'000));
    m.close();
    CHECK(*m.relay.next_tick() - m.clock.steady <= Milliseconds(1'000));
  }
}

TEST_CASE("a connection that opens and dies at once does not reset the back-off") {
  size_t long_waits = 0;
  const size_t seeds = sim_runs(100);
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    Machine m(seed);
    m.start();
    for (int i = 0; i < 10; ++i) {
      m.open();
      m.close();
      m.clock.advance(
          std::chrono::duration_cast<Milliseconds>(*m.relay.next_tick() - m.clock.steady));
      m.tick();
    }
    m.open();
    m.close();
    long_waits += *m.relay.next_tick() - m.clock.steady > Milliseconds(60'000);
  }
  CHECK(10 * long_waits > 6 * seeds);  // of a uniform draw up to five minutes
}

TEST_CASE(
    "R5 after a reconnect regular kinds resume with overlap and without the limit, addressable "
    "ones ask for all") {
  Machine m;
  const int64_t now = m.clock.now().seconds().value;
  Filter regular;
  regular.kinds = {1};
  regular.limit = 10;
  Filter hints;
  hints.kinds = {30078};
  m.start();
  m.open();
  CHECK(sent(m.subscribe({regular, hints}))[0].find("\"limit\":10") != std::string::npos);
  m.hear(EventMessage{"s", event_at(now - 100)});
  m.hear(EoseMessage{"s"});
  m.close();
  m.clock.advance(Milliseconds(5'000));
  m.tick();
  const auto requests = sent(m.open());
  REQUIRE(requests.size() == 1);
  CHECK(requests[0].find("limit") == std::string::npos);
  CHECK(requests[0].find("\"since\":" + std::to_string(now - 100 - 600)) != std::string::npos);
  CHECK(requests[0].find("since", requests[0].find("30078")) == std::string::npos);
}

TEST_CASE(
    "R4 a verified event from the far future does not move the mark past what others publish now") {
  Machine m;
  const int64_t now = m.clock.now().seconds().value;
  Filter regular;
  regular.kinds = {1};
  m.start();
  m.open();
  m.subscribe({regular});
  m.hear(EventMessage{"s", event_at(now + 1'000'000)});
  m.hear(EoseMessage{"s"});
  m.close();
  m.clock.advance(Milliseconds(5'000));
  m.tick();
  CHECK(sent(m.open())[0].find("\"since\":" + std::to_string(now - 600)) != std::string::npos);
}

TEST_CASE("R17 without an OK in time the outcome is unknown, without a connection unreachable") {
  Machine m;
  m.start();
  const Event first = event_at(1);
  m.publish(first, Milliseconds(30'000));
  m.clock.advance(Milliseconds(30'000));
  auto actions = m.tick();
  REQUIRE(outcome(actions) != nullptr);
  CHECK(outcome(actions)->state == PublishState::unreachable);
  m.open();
  m.publish(event_at(2), Milliseconds(30'000));
  m.clock.advance(Milliseconds(10'000));
  actions = m.tick();
  REQUIRE(outcome(actions) != nullptr);
  CHECK(outcome(actions)->state == PublishState::no_answer);
  CHECK_FALSE(outcome(actions)->stored());
}

TEST_CASE(
    "an event that was on its way when the connection broke is sent again after the reconnect") {
  Machine m;
  m.start();
  m.open();
  const Event event = event_at(1);
  CHECK(sent(m.publish(event, Milliseconds(60'000))).size() == 1);
  m.close();
  m.clock.advance(Milliseconds(1'000));
  m.tick();
  CHECK(sent(m.open()).size() == 1);
  const auto actions = m.hear(OkMessage{event.id, true, "duplicate: have it"});
  REQUIRE(outcome(actions) != nullptr);
  CHECK(outcome(actions)->state == PublishState::duplicate);
}

TEST_CASE("a rate limit delays an event, and only for as long as its deadline allows") {
  Machine m;
  m.start();
  m.open();
  const Event event = event_at(1);
  m.publish(event, Milliseconds(60'000));
  CHECK(outcome(m.hear(OkMessage{event.id, false, "rate-limited: slow down"})) == nullptr);
  m.clock.advance(Milliseconds(1'000));
  CHECK(sent(m.tick()).size() == 1);
  const auto actions = m.hear(OkMessage{event.id, true, ""});
  REQUIRE(outcome(actions) != nullptr);
  CHECK(outcome(actions)->state == PublishState::acknowledged);

  const Event hurried = event_at(2);
  m.publish(hurried, Milliseconds(100));
  const auto refused = m.hear(OkMessage{hurried.id, false, "rate-limited: slow down"});
  REQUIRE(outcome(refused) != nullptr);
  CHECK_FALSE(outcome(refused)->permanent);
}

TEST_CASE("an authentication that the relay refuses ends in a refusal, not in a loop") {
  Machine m;
  m.start();
  m.open();
  m.hear(AuthChallenge{"c"});
  const Event event = event_at(1);
  m.publish(event, Milliseconds(60'000));
  CHECK(count<Relay::SignAuth>(m.hear(OkMessage{event.id, false, "auth-required: please"})) == 1);
  const Event auth = sign_event(own_key(), {{1}, 22242, {{"challenge", "c"}}, ""});
  CHECK(sent(m.act([&](auto& out) {
          m.relay.auth_signed(own_key().public_key(), auth, m.clock.now(), out);
        })).size() == 1);
  const auto actions = m.hear(OkMessage{auth.id, false, "restricted: not you"});
  REQUIRE(outcome(actions) != nullptr);
  CHECK(outcome(actions)->state == PublishState::refused);
  const Event next = event_at(2);
  m.publish(next, Milliseconds(60'000));
  CHECK(count<Relay::SignAuth>(m.hear(OkMessage{next.id, false, "auth-required: please"})) == 0);
}

TEST_CASE("a challenge that is replaced while the answer is being signed is answered anew") {
  Machine m;
  m.start();
  m.open();
  m.hear(AuthChallenge{"old"});
  m.subscribe({{.kinds = {1}}});
  CHECK(count<Relay::SignAuth>(m.hear(ClosedMessage{"s", "auth-required: please"})) == 1);
  m.hear(AuthChallenge{"new"});
  const Event stale = sign_event(own_key(), {{1}, 22242, {{"challenge", "old"}}, ""});
  const auto actions = m.act(
      [&](auto& out) { m.relay.auth_signed(own_key().public_key(), stale, m.clock.now(), out); });
  CHECK(sent(actions).empty());
  CHECK(count<Relay::SignAuth>(actions) == 1);
}

TEST_CASE(
    "NIP-40 an expired event is dropped and counted, and is part of its answer all the same") {
  Machine m;
  m.start();
  m.open();
  m.subscribe({{.kinds = {1}}});
  const int64_t now = m.clock.now().seconds().value;
  const auto expiring = [&](int64_t at) {
    return sign_event(own_key(), {{now - 10}, 1, {{"expiration", std::to_string(at)}}, ""});
  };
  CHECK(count<Relay::Deliver>(m.hear(EventMessage{"s", expiring(now + 5)})) == 1);
  CHECK(count<Relay::Deliver>(m.hear(EventMessage{"s", expiring(now)})) == 0);
  CHECK(m.relay.counters().expired == 1);
  m.clock.advance(Milliseconds(5'000));
  CHECK(count<Relay::Deliver>(m.hear(EventMessage{"s", expiring(now + 5)})) == 0);
  m.hear(EoseMessage{"s"});
  CHECK(m.relay.covered("s") == UnixSeconds{now - 10});
}

TEST_CASE("NIP-11 where AUTH is required it is given with the challenge, before any refusal") {
  Machine m;
  m.start();
  m.relay.announced(*parse_relay_information(R"({"limitation":{"auth_required":true}})"));
  m.open();
  CHECK(count<Relay::SignAuth>(m.hear(AuthChallenge{"c"})) == 1);
}

TEST_CASE("many subscriptions are asked for a hundred at a time, and all in the end") {
  Machine m;
  m.start();
  std::vector<std::string> wanted;
  for (int i = 0; i < 350; ++i) {
    wanted.push_back("s" + std::to_string(i));
    m.act([&](auto& out) {
      m.relay.subscribe(wanted.back(), CatchUp::share({{.kinds = {1}}}), {}, m.clock.now(), out);
    });
  }
  auto frames = sent(m.open());
  CHECK(frames.size() == 100);
  std::set<std::string> live;
  while (!frames.empty()) {
    std::vector<std::string> next;
    for (const std::string& frame : frames) {
      const auto message = parse_client_message(frame);
      const auto* req = std::get_if<ReqRequest>(&*message);
      if (req == nullptr) continue;
      CHECK(live.insert(req->subscription).second);
      const bool refuses = live.size() % 7 == 0;
      const auto after = refuses ? m.hear(ClosedMessage{req->subscription, "error: not now"})
                                 : m.hear(EoseMessage{req->subscription});
      for (auto& more : sent(after)) next.push_back(std::move(more));
      if (live.size() == 120)
        m.act([&](auto& out) { m.relay.unsubscribe("s1", m.clock.now(), out); });
    }
    frames = std::move(next);
  }
  CHECK(live.size() == 350);
}

TEST_CASE("events of subscriptions that are gone or never were are counted and dropped") {
  Machine m;
  m.start();
  m.open();
  m.subscribe({{.kinds = {1}}});
  CHECK(count<Relay::Deliver>(m.hear(EventMessage{"s", event_at(1)})) == 1);
  CHECK(count<Relay::Deliver>(m.hear(EventMessage{"s", event_at(1, 2)})) == 0);
  CHECK(count<Relay::Deliver>(m.hear(EventMessage{"other", event_at(1)})) == 0);
  CHECK(sent(m.act([&](auto& out) { m.relay.unsubscribe("s", m.clock.now(), out); })) ==
        std::vector<std::string>{"[\"CLOSE\",\"s\"]"});
  CHECK(count<Relay::Deliver>(m.hear(EventMessage{"s", event_at(1)})) == 0);
  CHECK(m.relay.counters().unsolicited == 3);
}
