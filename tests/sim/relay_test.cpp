// One relay's state machine on a virtual clock.
#include "nostr/relay.h"

#include <set>

#include "nostr/keys.h"
#include "tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::nostr;

namespace {

struct Clock {
  Instant steady = Instant(std::chrono::hours(1000));
  int64_t wall_ms = 1'790'000'000'000;
  Now now() const { return {steady, {wall_ms}}; }
  void advance(Milliseconds by) {
    steady += by;
    wall_ms += by.count();
  }
};

CheckedFrame say(RelayMessage message) {
  CheckedFrame out;
  out.verdict = std::holds_alternative<EventMessage>(message) ? Verdict::verified : Verdict::other;
  out.message = std::move(message);
  return out;
}

Event event_at(int64_t created_at, int kind = 1) {
  static const SecretKey key = SecretKey::generate();
  return sign_event(key, {{created_at}, kind, {}, std::to_string(created_at)});
}

template <typename T>
size_t count(const Relay::Actions& actions) {
  size_t out = 0;
  for (const auto& action : actions) out += std::holds_alternative<T>(action);
  return out;
}

std::vector<std::string> sent(const Relay::Actions& actions) {
  std::vector<std::string> out;
  for (const auto& action : actions) {
    if (const auto* send = std::get_if<Relay::Send>(&action)) out.push_back(send->frame);
  }
  return out;
}

const RelayOutcome* outcome(const Relay::Actions& actions) {
  for (const auto& action : actions) {
    if (const auto* published = std::get_if<Relay::Published>(&action)) return &published->outcome;
  }
  return nullptr;
}

const SecretKey& own_key() {
  static const SecretKey key = SecretKey::generate();
  return key;
}

struct Machine {
  Clock clock;
  Relay relay;
  explicit Machine(uint64_t seed = 1) : relay({}, Rng(seed), {own_key().public_key()}) {}

  template <typename Call>
  Relay::Actions act(Call call) {
    Relay::Actions out;
    call(out);
    return out;
  }
  Relay::Actions start() {
    return act([&](auto& out) { relay.start(clock.now(), out); });
  }
  Relay::Actions open() {
    return act([&](auto& out) { relay.opened(clock.now(), out); });
  }
  Relay::Actions close() {
    return act([&](auto& out) { relay.closed(clock.now(), {}, out); });
  }
  Relay::Actions hear(RelayMessage message) {
    return act([&](auto& out) { relay.frame(say(std::move(message)), clock.now(), out); });
  }
  Relay::Actions tick() {
    return act([&](auto& out) { relay.tick(clock.now(), out); });
  }
  Relay::Actions subscribe(std::vector<Filter> filters) {
    return act([&](auto& out) {
      relay.subscribe("s", CatchUp::share(std::move(filters)), {}, clock.now(), out);
    });
  }
  Relay::Actions publish(const Event& event, Milliseconds within) {
    return act([&](auto& out) { relay.publish(event, clock.steady + within, clock.now(), out); });
  }
};

}  // namespace

TEST_CASE(
    "reconnects wait from one second to five minutes with jitter, and start over after a minute of "
    "health") {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
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
  for (uint64_t seed = 1; seed <= 100; ++seed) {
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
  CHECK(long_waits > 60);  // of a uniform draw up to five minutes
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

namespace {

// A relay with NIP-77 that has `stored`, or says that it has only `named`.
struct Reconciling {
  Machine m;
  std::vector<Event> stored;
  std::vector<Event> named;
  size_t negotiations = 0;
  size_t plain_requests = 0;
  size_t delivered = 0;

  Reconciling() {
    RelayInformation information;
    information.supported_nips = {1, 77};
    m.relay.announced(information);
    m.start();
    react(m.act([&](auto& out) {
      m.relay.subscribe("s", CatchUp::share({{.kinds = {1}}}), {std::nullopt, true}, m.clock.now(),
                        out);
    }));
  }
  void connect() { react(m.open()); }
  void lose_for(Milliseconds time) {
    m.close();
    m.clock.advance(time);
    m.tick();
  }

  void react(const Relay::Actions& actions) {
    for (const auto& action : actions) {
      delivered += std::holds_alternative<Relay::Deliver>(action);
      if (std::holds_alternative<Relay::NeedKnown>(action)) {
        react(m.act([&](auto& out) { m.relay.known("s", {}, m.clock.now(), out); }));
      } else if (const auto* send = std::get_if<Relay::Send>(&action)) {
        hear(*parse_client_message(send->frame));
      }
    }
  }
  void hear(const ClientMessage& message) {
    if (const auto* open = std::get_if<NegOpenRequest>(&message)) {
      ++negotiations;
      answer(open->message);
    } else if (const auto* next = std::get_if<NegMessage>(&message)) {
      answer(next->message);
    } else if (const auto* req = std::get_if<ReqRequest>(&message)) {
      if (!req->filters[0].limit && req->filters[0].ids.empty()) ++plain_requests;
      size_t room = req->filters[0].limit.value_or(500);
      for (const Event& event : stored) {
        if (room > 0 && matches_any(req->filters, event)) {
          --room;
          react(m.hear(EventMessage{req->subscription, event}));
        }
      }
      react(m.hear(EoseMessage{req->subscription}));
    }
  }
  void answer(ByteView message) {
    std::vector<NegentropyItem> items;
    for (const Event& event : named) items.push_back({event.created_at, event.id});
    react(m.hear(NegMessage{"s", *negentropy_answer(*NegentropySet::seal(items), message)}));
  }
};

}  // namespace

TEST_CASE("NIP-77 is compared with the plain way the first time, then trusted") {
  Reconciling world;
  const int64_t now = world.m.clock.now().seconds().value;
  for (int i = 0; i < 5; ++i) world.stored.push_back(event_at(now - 1000 - i));
  world.named = world.stored;
  world.connect();
  CHECK(world.negotiations == 1);
  CHECK(world.plain_requests == 1);
  CHECK(world.delivered >= 5);
  world.lose_for(Milliseconds(60'000));  // a short absence
  world.connect();
  CHECK(world.negotiations == 1);
  CHECK(world.plain_requests == 2);
  world.lose_for(Milliseconds(2 * 3'600'000));
  world.stored.push_back(event_at(now + 3000));
  world.named = world.stored;
  world.delivered = 0;
  world.connect();
  CHECK(world.negotiations == 2);
  CHECK(world.plain_requests == 2);
  CHECK(world.delivered >= 6);
  CHECK(world.m.relay.covered("s") == UnixSeconds{now + 3000});
}

TEST_CASE("NIP-77 is not used again with a relay that kept something back") {
  Reconciling world;
  const int64_t now = world.m.clock.now().seconds().value;
  for (int i = 0; i < 5; ++i) world.stored.push_back(event_at(now - 1000 - i));
  world.named = {world.stored[0]};
  world.connect();
  CHECK(world.negotiations == 1);
  CHECK(world.plain_requests == 1);
  CHECK(world.delivered >= 5);
  world.lose_for(Milliseconds(2 * 3'600'000));
  world.connect();
  CHECK(world.negotiations == 1);
  CHECK(world.plain_requests == 2);
}

TEST_CASE("an NEG-ERR, garbage and silence end in the plain way") {
  for (int kind = 0; kind < 3; ++kind) {
    INFO(kind);
    Machine m;
    RelayInformation information;
    information.supported_nips = {77};
    m.relay.announced(information);
    m.start();
    m.act([&](auto& out) {
      m.relay.subscribe("s", CatchUp::share({{.kinds = {1}}}), {std::nullopt, true}, m.clock.now(),
                        out);
    });
    CHECK(sent(m.open())[0].find("\"limit\":1") != std::string::npos);
    CHECK(count<Relay::NeedKnown>(m.hear(EoseMessage{"s"})) == 1);
    const auto open = m.act([&](auto& out) { m.relay.known("s", {}, m.clock.now(), out); });
    REQUIRE(sent(open).size() == 1);
    CHECK(sent(open)[0].rfind("[\"NEG-OPEN\"", 0) == 0);
    Relay::Actions after;
    if (kind == 0) {
      after = m.hear(NegError{"s", "blocked: too many records", 1});
    } else if (kind == 1) {
      after = m.hear(NegMessage{"s", {0x61, 0xff}});
    } else {
      m.clock.advance(Milliseconds(30'000));
      after = m.tick();
    }
    const auto frames = sent(after);
    REQUIRE_FALSE(frames.empty());
    CHECK(frames.back().rfind("[\"REQ\"", 0) == 0);
    CHECK(frames.back().find("limit") == std::string::npos);
    CHECK(count<Relay::ReachedEnd>(m.hear(EoseMessage{"s"})) == 1);
  }
}
