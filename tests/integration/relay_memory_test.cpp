// What is remembered of relays beside the outbox: how they kept what they took, and their limits.
#include "tests/integration/outbox_fixture.h"

using namespace ipnscast;
using namespace ipnscast::nostr;
using namespace ipnscast::test;

TEST_CASE("R15 a relay that acknowledges and loses is found out, and gets the event again") {
  TempDir dir;
  Shelf shelf;
  shelf.loses = 2;
  ScriptedRelay relay(shelf.script());
  Sender sender(dir.path() / "state.db", {relay.url()});
  const Event event = hint("a", now_seconds());
  CHECK(sender.send(event).stored_count() == 1);
  const Instant deadline = std::chrono::steady_clock::now() + kWait;
  while (!shelf.get("a") && std::chrono::steady_clock::now() < deadline) sender.waiting();
  CHECK(shelf.get("a") == event);
  CHECK(sender.wait_empty());
}

TEST_CASE("R15 what a relay that keeps losing acknowledges does not count for the quorum") {
  TempDir dir;
  std::array<Shelf, 4> shelves;
  shelves[0].loses = 1000;
  std::vector<std::unique_ptr<ScriptedRelay>> relays;
  std::vector<RelayUrl> urls;
  for (Shelf& shelf : shelves) {
    relays.push_back(std::make_unique<ScriptedRelay>(shelf.script()));
    urls.push_back(relays.back()->url());
  }
  Sender sender(dir.path() / "state.db", urls);
  sender.send(hint("a", now_seconds()), {4, false, {}});
  const auto held = [&] {
    for (const auto& status : sender.pool->status()) {
      if (status.url == urls[0] && status.quarantined) return true;
    }
    return false;
  };
  const Instant deadline = std::chrono::steady_clock::now() + kWait;
  while (!held() && std::chrono::steady_clock::now() < deadline) sender.waiting();
  REQUIRE(held());
  const PublishReport report = sender.send(hint("b", now_seconds()), {4, false, {}});
  CHECK(report.stored_count() == 3);
  CHECK(report.relays.at(urls[0]).quarantined);
  CHECK(sender.wait_empty());  // nothing waits for it for ever
}

TEST_CASE("R15 a relay that loses is found out by processes that see one loss each, too") {
  TempDir dir;
  std::array<Shelf, 3> shelves;
  shelves[0].loses = 1000;
  std::vector<std::unique_ptr<ScriptedRelay>> relays;
  std::vector<RelayUrl> urls;
  for (Shelf& shelf : shelves) {
    relays.push_back(std::make_unique<ScriptedRelay>(shelf.script()));
    urls.push_back(relays.back()->url());
  }
  OutboxSender::Options once = Sender::quick();
  once.retry = {Milliseconds(60'000), Milliseconds(60'000), Milliseconds(60'000)};
  const auto losses = [&](Sender& sender) {
    size_t out = 0;
    REQUIRE(sender.writer->run([&](store::Database& db) -> Status {
      out = (*load_standings(db, {now_seconds()}))[urls[0]].losses;
      return {};
    }));
    return out;
  };
  for (size_t process = 1; process <= 3; ++process) {
    Sender sender(dir.path() / "state.db", urls, once);
    sender.send(hint("a", now_seconds() + static_cast<int64_t>(process)), {2, false, {}});
    const Instant deadline = std::chrono::steady_clock::now() + kWait;
    while (losses(sender) < process) REQUIRE(std::chrono::steady_clock::now() < deadline);
  }
  Sender next(dir.path() / "state.db", urls, once);
  const PublishReport report = next.send(hint("b", now_seconds()), {2, false, {}});
  CHECK(report.relays.at(urls[0]).quarantined);
  CHECK(report.stored_count() == 2);
}

TEST_CASE("NIP-11 a limit that a refusal taught is kept to by the next process") {
  TempDir dir;
  std::atomic<size_t> refused = 0;
  ScriptedRelay relay([&](ScriptedRelay& self, auto c, const ClientMessage& m) {
    const auto* req = std::get_if<ReqRequest>(&m);
    if (req == nullptr) return;
    const bool too_much = needs_of(req->filters).max_list > 50;
    refused += too_much;
    if (too_much)
      return self.say(c, RelayMessage(ClosedMessage{req->subscription,
                                                    "blocked: too many things to filter for"}));
    self.say(c, RelayMessage(EoseMessage{req->subscription}));
  });
  Filter wanted;
  for (int i = 0; i < 100; ++i) wanted.tags['d'].push_back(std::to_string(i));
  const auto known = [&](Sender& sender) {
    std::map<RelayUrl, LearnedLimits> out;
    REQUIRE(sender.writer->run([&](store::Database& db) -> Status {
      out = *load_limits(db, {now_seconds()});
      return {};
    }));
    return out;
  };
  for (int process = 0; process < 2; ++process) {
    Sender sender(dir.path() / "state.db", {relay.url()});
    Inbox<PoolMessage> inbox(100);
    // In a second life after what the first one knew was read.
    const Instant deadline = std::chrono::steady_clock::now() + kWait;
    if (process == 1) REQUIRE(known(sender)[relay.url()].requests.max_list == 50);
    while (process == 1 && sender.pool->status()[0].learned.requests.max_list != 50)
      REQUIRE(std::chrono::steady_clock::now() < deadline);
    sender.pool->subscribe({wanted}, [&](PoolMessage& m) { return inbox.try_push(std::move(m)); });
    while (const auto message = inbox.pop_until(deadline)) {
      if (std::holds_alternative<PoolEose>(*message)) break;
    }
    while (known(sender).empty()) REQUIRE(std::chrono::steady_clock::now() < deadline);
    CHECK(refused == 1);
  }
}

TEST_CASE("NIP-11 learned limits are bounded, and believed for a month") {
  auto db = std::move(*store::Database::open(":memory:", {outbox_schema()}));
  const auto url = [](int i) {
    return *RelayUrl::parse("ws://relay-" + std::to_string(i) + ".example");
  };
  LearnedLimits learned;
  learned.subscriptions = 7;
  learned.requests.max_filters = 3;
  for (int i = 0; i < 1200; ++i) REQUIRE(save_limits(*db, url(i), learned, {10'000'000}));
  CHECK(load_limits(*db, {10'000'000})->size() == 1000);
  CHECK((*load_limits(*db, {10'000'000}))[url(1199)] == learned);
  CHECK(load_limits(*db, {10'000'000 + 31 * 86'400})->empty());
  CHECK(load_limits(*db, {0})->empty());  // a clock that jumped
  REQUIRE(save_limits(*db, url(1199), {}, {10'000'000}));
  CHECK(load_limits(*db, {10'000'000})->count(url(1199)) == 0);
}

TEST_CASE("R15 standings are bounded, and a clock that jumps prolongs no quarantine") {
  auto db = std::move(*store::Database::open(":memory:", {outbox_schema()}));
  const auto url = [](int number) {
    return *RelayUrl::parse("wss://relay-" + std::to_string(number) + ".example");
  };
  const RelayStanding held{3, Seconds(3600), Seconds(1800)};
  for (int i = 0; i < 1200; ++i) REQUIRE(save_standing(*db, url(i), held, {1'000'000}));
  CHECK(load_standings(*db, {1'000'000})->size() == 1000);
  CHECK(load_standings(*db, {1'000'000})->count(url(0)) == 0);
  CHECK((*load_standings(*db, {1'000'600}))[url(1199)].left == Seconds(1200));
  CHECK((*load_standings(*db, {2'000'000}))[url(1199)].left == Seconds(0));
  CHECK((*load_standings(*db, {0}))[url(1199)].left == Seconds(3600));
  REQUIRE(save_standing(*db, url(1199), {}, {1'000'000}));
  CHECK(load_standings(*db, {1'000'000})->count(url(1199)) == 0);
}
