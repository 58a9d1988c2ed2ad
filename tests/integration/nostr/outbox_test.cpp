// The outbox on real sockets and a real state file, against scripted relays.
#include "ipnscast/tests/integration/nostr/outbox_fixture.h"

using namespace ipnscast;
using namespace ipnscast::nostr;
using namespace ipnscast::test;

TEST_CASE("what a relay missed while it was away is sent as soon as it is back") {
  TempDir dir;
  Shelf shelf;
  std::optional<ScriptedRelay> relay(shelf.script());
  const uint16_t port = relay->port();
  OutboxSender::Options options = Sender::quick();
  options.deadline = Milliseconds(300);
  options.retry = {Milliseconds(60'000), Milliseconds(60'000), Milliseconds(60'000)};
  Sender sender(dir.path() / "state.db", {relay->url()}, options);
  relay.reset();
  const Event event = hint("a", now_seconds());
  CHECK(sender.send(event).relays.begin()->second.state == PublishState::unreachable);
  CHECK(sender.waiting() == 1);
  relay.emplace(shelf.script(), port);
  CHECK(sender.wait_empty());
  CHECK(shelf.get("a") == event);
}

TEST_CASE("R17 a missing OK is settled by reading back") {
  TempDir dir;
  Shelf shelf;
  ScriptedRelay relay([&](ScriptedRelay& self, auto c, const ClientMessage& m) {
    if (const auto* p = std::get_if<PublishRequest>(&m)) return shelf.put(p->event);  // no OK
    shelf.script()(self, c, m);
  });
  Sender sender(dir.path() / "state.db", {relay.url()}, [] {
    auto options = Sender::quick();
    options.deadline = Milliseconds(200);
    return options;
  }());
  const Event event = hint("a", now_seconds());
  CHECK(sender.send(event).relays.begin()->second.state == PublishState::no_answer);
  CHECK(sender.wait_empty());
  REQUIRE(relay.wait_heard("[\"CLOSE\"", 1));  // may come after the outbox is empty
  CHECK(relay.heard().size() == 3);            // EVENT, REQ, CLOSE: not sent again
}

TEST_CASE("R2 a refusal for good ends there, one for now is tried again") {
  TempDir dir;
  Shelf shelf;
  std::atomic<int> refusals = 2;
  ScriptedRelay good([&](ScriptedRelay& self, auto c, const ClientMessage& m) {
    const auto* p = std::get_if<PublishRequest>(&m);
    if (p != nullptr && refusals-- > 0)
      return self.say(c, RelayMessage(OkMessage{p->event.id, false, "error: disk is busy"}));
    shelf.script()(self, c, m);
  });
  ScriptedRelay bad([&](ScriptedRelay& self, auto c, const ClientMessage& m) {
    if (const auto* p = std::get_if<PublishRequest>(&m))
      self.say(c, RelayMessage(OkMessage{p->event.id, false, "blocked: not you"}));
  });
  Sender sender(dir.path() / "state.db", {good.url(), bad.url()});
  const Event event = hint("a", now_seconds());
  const PublishReport report = sender.send(event, {1, true, {}});
  CHECK(report.relays.at(bad.url()).permanent);
  CHECK_FALSE(report.relays.at(good.url()).permanent);
  CHECK(sender.wait_empty());
  CHECK(shelf.get("a") == event);
  CHECK(bad.heard().size() == 1);
}

TEST_CASE("R2 a refusal without a known prefix is tried again") {
  TempDir dir;
  Shelf shelf;
  std::atomic<int> refusals = 2;
  ScriptedRelay relay([&](ScriptedRelay& self, auto c, const ClientMessage& m) {
    const auto* p = std::get_if<PublishRequest>(&m);
    if (p != nullptr && refusals-- > 0)
      return self.say(c, RelayMessage(OkMessage{p->event.id, false, "database is locked"}));
    shelf.script()(self, c, m);
  });
  Sender sender(dir.path() / "state.db", {relay.url()});
  const Event event = hint("a", now_seconds());
  CHECK_FALSE(sender.send(event).relays.at(relay.url()).permanent);
  CHECK(sender.wait_empty());
  CHECK(shelf.get("a") == event);
}

// A relay that answers "duplicate" without having the event; `shelf` says what it has.
RelayOutcome told_duplicate(Shelf& shelf, bool accepted, const Event& event) {
  ScriptedRelay relay([&](ScriptedRelay& self, auto c, const ClientMessage& m) {
    if (const auto* p = std::get_if<PublishRequest>(&m))
      return self.say(c, RelayMessage(OkMessage{p->event.id, accepted, "duplicate: have it"}));
    shelf.script()(self, c, m);
  });
  const auto loop = *net::Loop::start();
  PoolOptions with;
  with.relays = {relay.url()};
  const auto pool = Pool::start(*loop, std::move(with));
  Inbox<PublishReport> reports(1);
  pool->publish(event, {}, [&](PublishReport report) { reports.try_push(std::move(report)); });
  const auto report = reports.pop_until(std::chrono::steady_clock::now() + kWait);
  REQUIRE(report);
  return report->relays.at(relay.url());
}

TEST_CASE("a duplicate is looked for at its address, also where nobody asked for a read-back") {
  const Event ours = hint("a", 1000, "ours");
  const Event newer = hint("a", 2000, "newer");
  for (const bool accepted : {false, true}) {
    Shelf empty, same, other;
    same.put(ours);
    other.put(newer);
    const RelayOutcome none = told_duplicate(empty, accepted, ours);
    CHECK(none.state == PublishState::no_answer);
    CHECK(none.read_back == ReadBack::missing);
    CHECK_FALSE(none.stored());
    const RelayOutcome there = told_duplicate(same, accepted, ours);
    CHECK(there.state == PublishState::duplicate);
    CHECK(there.stored());
    const RelayOutcome stale = told_duplicate(other, accepted, ours);
    CHECK(stale.state == PublishState::superseded);
    REQUIRE(stale.newer);
    CHECK(*stale.newer == newer);
  }
}

TEST_CASE("a newer event at our address is given back, and ours leaves the outbox") {
  TempDir dir;
  Shelf shelf;
  const Event newer = hint("a", now_seconds() + 100, "of another device");
  shelf.put(newer);
  ScriptedRelay relay([&](ScriptedRelay& self, auto c, const ClientMessage& m) {
    if (const auto* p = std::get_if<PublishRequest>(&m))  // as some relays do for what is stale
      return self.say(c, RelayMessage(OkMessage{p->event.id, true, "duplicate: have it"}));
    shelf.script()(self, c, m);
  });
  Sender sender(dir.path() / "state.db", {relay.url()});
  const Event ours = hint("a", now_seconds());
  sender.send(ours);
  const auto given = sender.superseded.pop_until(std::chrono::steady_clock::now() + kWait);
  REQUIRE(given);
  CHECK(given->first == ours);
  CHECK(given->second == newer);
  CHECK(sender.wait_empty());
}

TEST_CASE("what waits survives the process, and a damaged row keeps nothing else back") {
  TempDir dir;
  const Event lost = hint("lost", now_seconds());
  const Event kept = hint("kept", now_seconds());
  const RelayUrl nowhere = *RelayUrl::parse("ws://127.0.0.1:1");
  Shelf shelf;
  ScriptedRelay relay(shelf.script());
  {
    auto db = std::move(*store::Database::open(dir.path() / "state.db", {outbox_schema()}));
    REQUIRE(outbox_add(*db, lost, {relay.url()}));
    REQUIRE(outbox_add(*db, kept, {relay.url()}));
    REQUIRE(
        db->execute("UPDATE outbox SET json = replace(json, '\"kind\":30078', "
                    "'\"kind\":30079') WHERE d = 'lost'"));
  }
  Sender sender(dir.path() / "state.db", {relay.url()});
  const Instant deadline = std::chrono::steady_clock::now() + kWait;
  while (!shelf.get("kept") && std::chrono::steady_clock::now() < deadline) sender.waiting();
  CHECK(shelf.get("kept") == kept);
  CHECK_FALSE(shelf.get("lost"));
}

TEST_CASE("R30 a full outbox gives up what some relay has, never what none has") {
  auto db = std::move(*store::Database::open(":memory:", {outbox_schema()}));
  const RelayUrl alive = *RelayUrl::parse("ws://127.0.0.1:1");
  const RelayUrl dead = *RelayUrl::parse("ws://127.0.0.1:2");
  const OutboxLimits limits{3, Seconds(1000)};
  std::vector<Event> events;
  for (int i = 0; i < 4; ++i) events.push_back(hint(std::to_string(i), 1000 + i));
  for (int i = 0; i < 3; ++i) REQUIRE(outbox_add(*db, events[i], {alive, dead}, limits));
  const auto refused = outbox_add(*db, events[3], {alive, dead}, limits);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::busy);
  REQUIRE(outbox_note(*db, events[1].id, alive, {PublishState::acknowledged}));
  REQUIRE(outbox_add(*db, events[3], {alive, dead}, limits));
  const auto pending = outbox_pending(*db);
  REQUIRE(pending->size() == 3);
  for (const auto& entry : *pending) CHECK_FALSE(entry.event == events[1]);

  REQUIRE(outbox_advance_clock(*db, Seconds(1000), {2000}));
  REQUIRE(outbox_expire(*db, limits)->empty());
  REQUIRE(outbox_advance_clock(*db, Seconds(1), {2001}));
  const auto expired = outbox_expire(*db, limits);
  REQUIRE(expired);
  REQUIRE(expired->size() == 3);
  CHECK(expired->front().event == events[0]);
  CHECK(expired->front().relays.size() == 2);
  CHECK(outbox_pending(*db)->empty());
}
