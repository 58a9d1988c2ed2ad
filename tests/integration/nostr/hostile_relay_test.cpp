// The pool against a relay that lies, floods, refuses and dies.
#include <atomic>
#include <set>

#include "ipnscast/tests/integration/nostr/pool_reader.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::nostr;
using namespace ipnscast::test;

TEST_CASE("R19 a forged copy is never delivered and does not hide the true event that follows") {
  const Event truth = note(now_seconds(), "the truth");
  Event altered = truth;
  altered.content = "a lie under a known id";
  Event bad_signature = truth;
  bad_signature.sig.bytes[10] ^= 1;
  Event other_key = truth;
  other_key.pubkey = SecretKey::generate().public_key();
  ScriptedRelay relay(
      [&](ScriptedRelay& self, ScriptedRelay::Connection c, const ClientMessage& m) {
        const auto* id = req_id(m);
        if (id == nullptr) return;
        self.say(c, event_frame(*id, altered));
        self.say(c, event_frame(*id, bad_signature));
        self.say(c, event_frame(*id, other_key));
        self.say(c, event_frame(*id, truth));
        self.say(c, event_frame(*id, altered));
        self.say(c, RelayMessage(EoseMessage{*id}));
      });
  Reader reader({relay.url()}, {{.kinds = {1}}});
  const auto got = reader.next_event();
  REQUIRE(got);
  CHECK(*got == truth);
  CHECK_FALSE(reader.next_event(Milliseconds(200)));
  CHECK(reader.pool->status()[0].counters.forged == 4);
}

TEST_CASE("one event that ten relays send is delivered once") {
  const Event event = note(now_seconds(), "once");
  std::vector<std::unique_ptr<ScriptedRelay>> relays;
  std::vector<RelayUrl> urls;
  for (int i = 0; i < 10; ++i) {
    relays.push_back(
        std::make_unique<ScriptedRelay>([&](ScriptedRelay& self, auto c, const ClientMessage& m) {
          if (const auto* id = req_id(m)) {
            self.say(c, event_frame(*id, event));
            self.say(c, RelayMessage(EoseMessage{*id}));
          }
        }));
    urls.push_back(relays.back()->url());
  }
  Reader reader(urls, {{.kinds = {1}}}, {.verify_threads = 2});
  CHECK(reader.next_event() == event);
  CHECK_FALSE(reader.next_event(Milliseconds(500)));
}

TEST_CASE("older versions of a delivered address are left out, and what follows them is not") {
  const auto version = [](int number) {
    return sign_event(author(),
                      {{1700000000 + number}, 30078, {{"d", "a"}}, std::to_string(number)});
  };
  const Event other = sign_event(author(), {{1600000000}, 30078, {{"d", "b"}}, "1"});
  std::atomic<bool> is_asked = false;
  std::promise<SubscriptionId> asked;
  ScriptedRelay relay([&](ScriptedRelay& self, auto c, const ClientMessage& m) {
    const auto* id = req_id(m);
    if (id == nullptr) return;
    if (is_asked.exchange(true)) {  // whether there is more
      return self.say(c, RelayMessage(EoseMessage{*id}));
    }
    self.say(c, event_frame(*id, version(1000)));
    asked.set_value(*id);
  });
  auto loop = *net::Loop::start();
  Inbox<PoolMessage> inbox(10000);
  const auto pool = Pool::start(*loop, {.relays = {relay.url()}});
  pool->subscribe({{.kinds = {30078}}},
                  [&](PoolMessage& m) { return inbox.try_push(std::move(m)); },
                  {.claimed_sequence = [](const Event& e) -> std::optional<uint64_t> {
                    return std::stoull(e.content);
                  }});
  const auto next = [&] {
    return inbox.pop_until(std::chrono::steady_clock::now() + Milliseconds(10'000));
  };
  const auto first = next();
  REQUIRE(first);
  CHECK(std::get<PoolEvent>(*first).event.content == "1000");

  const SubscriptionId id = asked.get_future().get();
  for (int number = 0; number < 1000; ++number) relay.say_to_all(event_frame(id, version(number)));
  relay.say_to_all(event_frame(id, other));
  relay.say_to_all(to_frame(RelayMessage(EoseMessage{id})));
  const auto second = next();
  REQUIRE(second);
  CHECK(std::get<PoolEvent>(*second).event == other);
  while (const auto last = next()) {
    REQUIRE_FALSE(std::holds_alternative<PoolEvent>(*last));
    if (std::holds_alternative<PoolEose>(*last)) break;
  }
  CHECK(pool->status()[0].counters.delivered == 2);
}

TEST_CASE(
    "two subscriptions to the same event both get it, also when the second copy is a duplicate") {
  const Event event = note(now_seconds(), "twice");
  ScriptedRelay relay([&](ScriptedRelay& self, auto c, const ClientMessage& m) {
    if (const auto* id = req_id(m)) self.say(c, event_frame(*id, event));
  });
  Inbox<PoolMessage> second(100);
  Reader reader({relay.url()}, {{.kinds = {1}}});
  REQUIRE(reader.next_event());
  reader.pool->subscribe({{.kinds = {1}}},
                         [&](PoolMessage& m) { return second.try_push(std::move(m)); });
  const auto got = second.pop_until(std::chrono::steady_clock::now() + Milliseconds(10'000));
  REQUIRE(got);
  REQUIRE(std::holds_alternative<PoolEvent>(*got));
  CHECK(std::get<PoolEvent>(*got).event == event);
}

TEST_CASE(
    "unsolicited, mismatching, oversize, deep and broken frames cost nothing but themselves") {
  const Event truth = note(now_seconds(), "after the garbage");
  const Event wrong_kind = note(now_seconds(), "not asked for", 7);
  ScriptedRelay relay([&](ScriptedRelay& self, auto c, const ClientMessage& m) {
    const auto* id = req_id(m);
    if (id == nullptr) return;
    self.say(c, event_frame("never-asked", truth));
    self.say(c, event_frame(*id, wrong_kind));
    self.say(c, std::string(10'000, '['));
    self.say(c, "[\"EVENT\",\"" + *id + "\",{\"tags\":" + std::string(5000, '[') +
                    std::string(5000, ']') + "}]");
    self.say(c, "not json at all");
    self.say(c, "[]");
    self.say(c, "[\"EVENT\"]");
    self.say(c, "{\"a\":1}");
    self.say(c, "[\"OK\",\"zz\",true,\"\"]");
    self.say(c, "[\"NOTICE\",5]");
    self.say(c, "[\"UNHEARD\",\"of\"]");
    self.say(c, event_frame(*id, truth));
  });
  Reader reader({relay.url()}, {{.kinds = {1}}});
  CHECK(reader.next_event() == truth);
  const auto counters = reader.pool->status()[0].counters;
  CHECK(counters.unsolicited == 2);
  CHECK(counters.malformed >= 7);
  CHECK(relay.opened() == 1);
}

TEST_CASE(
    "an oversize frame ends that connection only, and the event is taken after the reconnect") {
  const Event truth = note(now_seconds(), "second try");
  std::atomic<int> asked = 0;
  ScriptedRelay relay([&](ScriptedRelay& self, auto c, const ClientMessage& m) {
    const auto* id = req_id(m);
    if (id == nullptr) return;
    if (asked++ == 0) return self.say(c, std::string(300'000, 'x'));
    self.say(c, event_frame(*id, truth));
  });
  Reader reader({relay.url()}, {{.kinds = {1}}}, {.limits = {.max_bytes = 200'000}});
  CHECK(reader.next_event() == truth);
  CHECK(relay.opened() == 2);
}

TEST_CASE(
    "R18 a relay that closes every subscription is asked again, no faster than the back-off") {
  ScriptedRelay relay([&](ScriptedRelay& self, auto c, const ClientMessage& m) {
    if (const auto* id = req_id(m))
      self.say(c, RelayMessage(ClosedMessage{*id, "error: not today"}));
  });
  Reader reader({relay.url()}, {{.kinds = {1}}});
  const Instant start = std::chrono::steady_clock::now();
  REQUIRE(relay.wait_heard("[\"REQ\"", 4));
  // Four REQs stand three waits apart, of at least 25 ms each.
  CHECK(std::chrono::steady_clock::now() - start >= Milliseconds(75));
  const auto status = reader.pool->status();
  REQUIRE_FALSE(status[0].subscriptions.empty());
  CHECK(relay.opened() == 1);
}

TEST_CASE(
    "R18 restricted is taken for an answer: the reason can be read and the relay is left alone") {
  ScriptedRelay relay([&](ScriptedRelay& self, auto c, const ClientMessage& m) {
    if (const auto* id = req_id(m))
      self.say(c, RelayMessage(ClosedMessage{*id, "restricted: members only"}));
  });
  Reader reader({relay.url()}, {{.kinds = {1}}});
  REQUIRE(relay.wait_heard("[\"REQ\"", 1));
  CHECK_FALSE(reader.next_event(Milliseconds(600)));
  CHECK(relay.heard().size() == 1);
  const auto status = reader.pool->status();
  REQUIRE(status[0].subscriptions.size() == 1);
  CHECK(status[0].subscriptions[0].second.state == SubscriptionState::refused);
  CHECK(status[0].subscriptions[0].second.reason == "restricted: members only");
}

TEST_CASE(
    "R5 S0-38 a subscription is kept while its relay is away: what was published meanwhile arrives "
    "after it returns") {
  const int64_t now = now_seconds();
  const Event before = note(now - 10, "before");
  const Event during = note(now - 5, "during the outage");
  std::optional<ScriptedRelay> relay;
  std::atomic<bool> returned = false;
  std::atomic<bool> asked_since = false;
  const ScriptedRelay::Script script = [&](ScriptedRelay& self, auto c, const ClientMessage& m) {
    const auto* req = std::get_if<ReqRequest>(&m);
    if (req == nullptr) return;
    if (returned) {
      asked_since = req->filters[0].since.has_value() && !req->filters[0].limit.has_value() &&
                    req->filters[0].since->value <= now - 10;
    }
    self.say(c, event_frame(req->subscription, before));
    if (returned) self.say(c, event_frame(req->subscription, during));
    self.say(c, RelayMessage(EoseMessage{req->subscription}));
  };
  relay.emplace(script);
  const uint16_t port = relay->port();
  Reader reader({relay->url()}, {{.kinds = {1}, .limit = 1}});
  REQUIRE(reader.next_event() == before);
  REQUIRE(reader.wait_live());
  relay.reset();
  returned = true;
  relay.emplace(script, port);
  CHECK(reader.next_event() == during);
  CHECK(asked_since);
}

TEST_CASE(
    "a relay that accepts and drops connections is not asked more often than the back-off allows") {
  ScriptedRelay relay([&](ScriptedRelay& self, auto c, const ClientMessage&) { self.drop(c); });
  Reader reader({relay.url()}, {{.kinds = {1}}});
  CHECK_FALSE(reader.next_event(Milliseconds(1'500)));
  // Waits of at least 25 ms; how they grow is sim_relay's affair.
  CHECK(relay.opened() >= 3);
  CHECK(relay.opened() <= 1'500 / 25 + 1);
}

TEST_CASE("a reader that takes nothing stops the flood at the socket, and loses none of it") {
  constexpr int kEvents = 3000;
  std::vector<std::string> contents;
  std::vector<Event> events;
  for (int i = 0; i < kEvents; ++i)
    events.push_back(note(now_seconds(), std::to_string(i) + std::string(2000, 'x')));
  ScriptedRelay relay([&](ScriptedRelay& self, auto c, const ClientMessage& m) {
    if (const auto* id = req_id(m)) {
      for (const Event& event : events) self.say(c, event_frame(*id, event));
    }
  });
  Inbox<PoolMessage> inbox(10);
  auto loop = *net::Loop::start();
  auto pool = Pool::start(*loop, {.relays = {relay.url()}});
  pool->subscribe({{.kinds = {1}}}, [&](PoolMessage& m) { return inbox.try_push(std::move(m)); });
  std::set<EventId> got;
  while (got.size() < kEvents) {
    auto message = inbox.pop_until(std::chrono::steady_clock::now() + Milliseconds(10'000));
    REQUIRE(message);
    if (const auto* event = std::get_if<PoolEvent>(&*message)) got.insert(event->event.id);
    if (inbox.size() == 0) pool->resume_delivery();
  }
  CHECK(got.size() == kEvents);
  pool.reset();
}

TEST_CASE("R18 a subscription that is refused from the start is told so, with the relay's words") {
  ScriptedRelay relay([](ScriptedRelay& self, ScriptedRelay::Connection c, const ClientMessage& m) {
    if (const auto* id = req_id(m))
      self.say(c, RelayMessage(ClosedMessage{*id, "restricted: members only"}));
  });
  Reader reader({relay.url()}, {{.kinds = {1}}});
  const Instant deadline = std::chrono::steady_clock::now() + Milliseconds(10'000);
  std::optional<PoolLink> told;
  while (auto message = reader.inbox.pop_until(deadline)) {
    if (const auto* link = std::get_if<PoolLink>(&*message)) {
      told = *link;
      break;
    }
  }
  REQUIRE(told);
  CHECK_FALSE(told->live);
  CHECK(told->reason == "restricted: members only");
}

TEST_CASE("a subscriber is told each reason why a relay does not serve it, and then that it does") {
  std::atomic<int> asked = 0;
  ScriptedRelay relay([&](ScriptedRelay& self, auto c, const ClientMessage& m) {
    const auto* id = req_id(m);
    if (id == nullptr) return;
    const int turn = asked++;
    if (turn == 2) return self.say(c, RelayMessage(EoseMessage{*id}));
    self.say(c,
             RelayMessage(ClosedMessage{*id, turn == 0 ? "restricted: one" : "restricted: two"}));
  });
  Reader reader({relay.url()}, {{.kinds = {1}}});
  std::vector<std::string> told;
  const Instant deadline = std::chrono::steady_clock::now() + Milliseconds(10'000);
  while (auto message = reader.inbox.pop_until(deadline)) {
    const auto* link = std::get_if<PoolLink>(&*message);
    if (link == nullptr) continue;
    if (link->live) break;
    CHECK((told.empty() || told.back() != link->reason));
    told.push_back(link->reason);
    if (link->reason.starts_with("restricted")) relay.drop_all();
  }
  INFO(told.size());
  REQUIRE(told.size() >= 3);
  CHECK(told.front() == "restricted: one");
  CHECK(std::find(told.begin(), told.end(), "restricted: two") != told.end());
  CHECK(asked == 3);
}
