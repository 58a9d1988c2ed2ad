#include "sync/engine.h"

#include "tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::sync;

namespace {

Cid cid(uint8_t tag) { return {1, 0x55, {0x12, Bytes(32, tag)}}; }
nostr::PublicKey author(uint8_t tag) { return nostr::PublicKey::from(Bytes(32, tag)); }
nostr::EventId event(uint8_t tag) { return nostr::EventId::from(Bytes(32, tag)); }

const IpnsName kName = IpnsName::from_key({KeyType::ed25519, Bytes(32, 1)});
const SourceId kRelay{SourceKind::nostr, "wss://relay.example"};
const SourceId kNode{SourceKind::poll, "http://node.example"};
const nostr::PublicKey kFriend = author(1);
const nostr::PublicKey kStranger = author(9);

// One engine and what it asked for last, on a clock that the test moves.
struct Bench {
  explicit Bench(EngineOptions given = {}) : options(std::move(given)) {
    options.trusted_authors = {kFriend};
    now = {Instant() + std::chrono::hours(1000), {1'790'000'000'000}};
    restart();
  }

  void restart() { engine = std::make_unique<Engine>(options, 1); }

  void feed(Input input) {
    for (auto& action : engine->handle(std::move(input), now)) {
      if (auto* commit = std::get_if<action::Commit>(&action)) {
        for (const auto& row : commit->rows) committed = row;
        commits.push_back(commit->job);
      }
      actions.push_back(std::move(action));
    }
    if (!auto_commit) return;
    while (!commits.empty()) {
      const JobId job = commits.front();
      commits.erase(commits.begin());
      feed(input::Committed{job, {}});
    }
  }

  // The oldest action of this type that was not taken yet.
  template <typename T>
  std::optional<T> next() {
    for (auto it = actions.begin(); it != actions.end(); ++it) {
      if (auto* found = std::get_if<T>(&*it)) {
        T out = std::move(*found);
        actions.erase(it);
        return out;
      }
    }
    return std::nullopt;
  }

  void pass(Milliseconds time) {
    const Instant end = now.steady + time;
    while (true) {
      const auto wake = engine->next_wake();
      const Instant to = wake ? std::min(*wake, end) : end;
      now.wall.value += std::chrono::ceil<Milliseconds>(to - now.steady).count();
      now.steady = to;
      if (!wake || *wake > end) return;
      feed(input::Tick{});
    }
  }

  void watch(bool has_handler = true) { feed(input::Watch{kName, true, has_handler, committed}); }

  KnownRecord record(uint64_t sequence, uint8_t tag, int64_t lives_seconds = 172'800) {
    return {{sequence}, value_of(cid(tag)), {now.wall.value / 1000 + lives_seconds, 0}, {tag}, {}};
  }
  void arrive(const KnownRecord& known) { feed(input::RecordArrived{kName, known, kRelay}); }

  input::News news(std::optional<uint64_t> sequence, uint8_t tag, nostr::PublicKey by = kFriend) {
    input::News out{.name = kName,
                    .cid = cid(tag),
                    .sequence = {},
                    .author = by,
                    .event_id = event(tag),
                    .device_id = {},
                    .at_fault = false,
                    .source = kRelay,
                    .record = {}};
    if (sequence) out.sequence = Sequence{*sequence};
    return out;
  }

  void finish(const action::Resolve& job, std::optional<KnownRecord> found = {},
              size_t answered = 2) {
    feed(input::ResolveUpdate{kName, job.job, std::move(found), kNode, answered, true, true});
  }
  void fetched() {
    const auto fetch = next<action::Fetch>();
    REQUIRE(fetch);
    feed(input::Fetched{kName, fetch->job, std::nullopt});
  }
  Change delivered() {
    const auto deliver = next<action::Deliver>();
    REQUIRE(deliver);
    last_delivery = deliver->job;
    return deliver->change;
  }
  void acknowledge() { feed(input::Handled{kName, last_delivery, {}}); }
  void refuse() { feed(input::Handled{kName, last_delivery, fail(Errc::io, "no")}); }

  // The name is known with this record, and its handler has it.
  void settled_at(uint64_t sequence, uint8_t tag) {
    watch();
    const auto resolve = next<action::Resolve>();
    REQUIRE(resolve);
    finish(*resolve, record(sequence, tag));
    fetched();
    delivered();
    acknowledge();
    pass(Milliseconds(1));
    actions.clear();
  }

  EngineOptions options;
  Now now;
  std::unique_ptr<Engine> engine;
  std::vector<Action> actions;
  std::vector<JobId> commits;
  bool auto_commit = true;
  std::optional<NameRow> committed;
  JobId last_delivery;
};

}  // namespace

TEST_CASE(
    "a first contact waits for the foreground answer and takes the best record (S0-15, S0-16)") {
  Bench b;
  b.watch();
  const auto resolve = b.next<action::Resolve>();
  REQUIRE(resolve);
  CHECK(resolve->settle_by - b.now.steady == Milliseconds(2'000));
  b.feed(input::ResolveUpdate{kName, resolve->job, b.record(5, 5), kNode, 1, false, false});
  b.feed(input::ResolveUpdate{kName, resolve->job, b.record(7, 7), kNode, 2, false, false});
  CHECK_FALSE(b.next<action::Fetch>());
  b.feed(input::ResolveUpdate{kName, resolve->job, b.record(6, 6), kNode, 3, true, false});
  b.fetched();
  const auto change = b.delivered();
  CHECK(change.sequence == Sequence{7});
  CHECK(change.kind == ChangeKind::change);
  CHECK_FALSE(change.unconfirmed_freshness);
}

TEST_CASE(
    "a first contact that only a hint answered is handed over with unconfirmed freshness (S0-74)") {
  Bench b;
  b.watch();
  const auto resolve = b.next<action::Resolve>();
  auto news = b.news(5, 5);
  news.record = b.record(5, 5);
  b.feed(news);
  CHECK_FALSE(b.next<action::Fetch>());
  b.finish(*resolve, std::nullopt, 0);
  b.fetched();
  CHECK(b.delivered().unconfirmed_freshness);
}

TEST_CASE(
    "a trusted hint without a record is fetched at once and resolved beside it, and handed over "
    "when confirmed") {
  Bench b;
  b.settled_at(5, 5);
  b.feed(b.news(6, 6));
  const auto resolve = b.next<action::Resolve>();
  REQUIRE(resolve);
  CHECK(resolve->floor == Sequence{6});
  b.pass(Milliseconds(80));
  b.fetched();
  CHECK_FALSE(b.next<action::Deliver>());
  b.pass(Milliseconds(20));
  b.finish(*resolve, b.record(6, 6));
  CHECK_FALSE(b.next<action::Fetch>());
  const auto change = b.delivered();
  CHECK(change.cid == cid(6));
  CHECK(change.previous == cid(5));
  CHECK(change.source == SourceKind::nostr);
  CHECK(change.author == kFriend);
  CHECK(change.timing.confirmed == std::chrono::microseconds(100'000));
  CHECK(change.timing.fetched == std::chrono::microseconds(80'000));
}

TEST_CASE("a record inside of a hint confirms it whoever sent it (R1)") {
  Bench b;
  b.settled_at(5, 5);
  auto news = b.news(6, 6, kStranger);
  news.record = b.record(6, 6);
  b.feed(news);
  CHECK_FALSE(b.next<action::Resolve>());
  b.fetched();
  CHECK(b.delivered().cid == cid(6));
}

TEST_CASE("nothing is handed over before its commit, and a failed commit is tried again") {
  Bench b;
  b.settled_at(5, 5);
  b.auto_commit = false;
  b.arrive(b.record(6, 6));
  b.fetched();
  CHECK_FALSE(b.next<action::Deliver>());
  REQUIRE(b.commits.size() == 1);
  b.feed(input::Committed{b.commits[0], fail(Errc::io, "disk full")});
  CHECK_FALSE(b.next<action::Deliver>());
  b.commits.clear();
  b.auto_commit = true;
  b.pass(Milliseconds(999));
  CHECK_FALSE(b.next<action::Deliver>());
  b.pass(Milliseconds(1));
  CHECK(b.delivered().sequence == Sequence{6});
}

TEST_CASE("a change that was not acknowledged before a crash is handed over again (R6, S0-63)") {
  Bench b;
  b.settled_at(5, 5);
  b.arrive(b.record(6, 6));
  b.fetched();
  b.delivered();
  b.restart();
  b.actions.clear();
  b.watch();
  b.fetched();
  CHECK(b.delivered().sequence == Sequence{6});
  b.acknowledge();
  b.restart();
  b.actions.clear();
  b.watch();
  b.pass(Milliseconds(5'000));
  CHECK_FALSE(b.next<action::Deliver>());
}

TEST_CASE("a handler that comes late still gets what is owed (R7)") {
  Bench b;
  b.watch(false);
  b.finish(*b.next<action::Resolve>(), b.record(5, 5));
  b.fetched();
  CHECK_FALSE(b.next<action::Deliver>());
  b.watch();
  CHECK(b.delivered().sequence == Sequence{5});
}

TEST_CASE(
    "a change that arrives while the handler runs is handed over right after it (S0-23, R14)") {
  Bench b;
  b.settled_at(5, 5);
  b.arrive(b.record(6, 6));
  b.fetched();
  b.delivered();
  b.arrive(b.record(7, 7));
  b.arrive(b.record(8, 8));
  CHECK(b.next<action::Fetch>());
  b.fetched();
  CHECK_FALSE(b.next<action::Deliver>());
  b.acknowledge();
  CHECK(b.delivered().sequence == Sequence{8});
  b.acknowledge();
  CHECK_FALSE(b.next<action::Deliver>());
}

TEST_CASE(
    "a hint that arrives during a resolution is followed up right after it, without a loop (S0-23, "
    "R14)") {
  Bench b;
  b.settled_at(5, 5);
  b.feed(b.news(6, 6));
  const auto first = b.next<action::Resolve>();
  b.pass(Milliseconds(600));
  b.feed(b.news(7, 7));
  b.feed(b.news(8, 8));
  CHECK_FALSE(b.next<action::Resolve>());
  b.finish(*first, b.record(6, 6));
  const auto second = b.next<action::Resolve>();
  REQUIRE(second);
  CHECK(second->floor == Sequence{8});
  b.finish(*second, b.record(8, 8));
  CHECK_FALSE(b.next<action::Resolve>());
}

TEST_CASE("a burst of hints is coalesced, and the last one is never dropped") {
  Bench b;
  b.settled_at(5, 5);
  b.feed(b.news(6, 6));
  b.finish(*b.next<action::Resolve>(), b.record(6, 6));
  for (uint8_t i = 7; i < 50; ++i) b.feed(b.news(i, i));
  CHECK_FALSE(b.next<action::Resolve>());
  b.pass(Milliseconds(500));
  const auto resolve = b.next<action::Resolve>();
  REQUIRE(resolve);
  CHECK(resolve->floor == Sequence{49});
}

TEST_CASE("provisional: handed over before its record, then confirmed") {
  Bench b({.confirm = Confirm::trusted});
  b.settled_at(5, 5);
  b.feed(b.news(6, 6));
  const auto resolve = b.next<action::Resolve>();
  b.fetched();
  const auto early = b.delivered();
  CHECK(early.kind == ChangeKind::provisional);
  CHECK(early.cid == cid(6));
  CHECK(early.author == kFriend);
  b.acknowledge();
  b.finish(*resolve, b.record(6, 6));
  CHECK_FALSE(b.next<action::Fetch>());
  const auto late = b.delivered();
  CHECK(late.kind == ChangeKind::confirmed);
  CHECK(late.sequence == Sequence{6});
}

TEST_CASE(
    "provisional: withdrawn when a record proves it wrong, also after a crash, then the truth "
    "follows") {
  for (const bool crash : {false, true}) {
    Bench b({.confirm = Confirm::trusted});
    b.settled_at(5, 5);
    b.feed(b.news(6, 6));
    b.fetched();
    CHECK(b.delivered().kind == ChangeKind::provisional);
    if (crash) {
      b.restart();
      b.actions.clear();
      b.watch();
    } else {
      b.acknowledge();
    }
    const auto resolve = b.next<action::Resolve>();
    REQUIRE(resolve);
    b.finish(*resolve, b.record(6, 7));
    const auto wrong = b.delivered();
    CHECK(wrong.kind == ChangeKind::withdrawn);
    CHECK(wrong.cid == cid(6));
    CHECK(wrong.previous == cid(5));
    b.acknowledge();
    b.fetched();
    CHECK(b.delivered().cid == cid(7));
  }
}

TEST_CASE("provisional: withdrawn when nothing proves it for five minutes") {
  Bench b({.confirm = Confirm::trusted});
  b.settled_at(5, 5);
  b.feed(b.news(6, 6));
  b.fetched();
  CHECK(b.delivered().kind == ChangeKind::provisional);
  b.acknowledge();
  b.pass(Milliseconds(299'000));
  CHECK_FALSE(b.next<action::Deliver>());
  b.pass(Milliseconds(1'000));
  CHECK(b.delivered().kind == ChangeKind::withdrawn);
}

TEST_CASE("failures back off from 1 s, doubling to 5 min, and a restart does not start over") {
  Bench b;
  b.settled_at(5, 5);
  b.arrive(b.record(6, 6));
  b.fetched();
  for (const int64_t wait :
       {1'000, 2'000, 4'000, 8'000, 16'000, 32'000, 64'000, 128'000, 256'000, 300'000, 300'000}) {
    b.delivered();
    b.refuse();
    b.pass(Milliseconds(wait - 1));
    CHECK_FALSE(b.next<action::Deliver>());
    b.pass(Milliseconds(1));
  }
  b.delivered();
  b.refuse();
  b.restart();
  b.actions.clear();
  b.watch();
  b.pass(Milliseconds(299'000));
  CHECK_FALSE(b.next<action::Fetch>());
  b.pass(Milliseconds(1'000));
  CHECK(b.next<action::Fetch>());
}

TEST_CASE("a newer value does not wait for the back-off of an older one") {
  Bench b;
  b.settled_at(5, 5);
  b.arrive(b.record(6, 6));
  const auto fetch = b.next<action::Fetch>();
  b.feed(input::FetchFailed{kName, fetch->job, {Errc::unreachable, "gone"}});
  CHECK_FALSE(b.next<action::Fetch>());
  b.arrive(b.record(7, 7));
  b.fetched();
  CHECK(b.delivered().sequence == Sequence{7});
}

TEST_CASE(
    "an older fetch is cancelled when a newer value is confirmed, and its answer is ignored") {
  Bench b;
  b.settled_at(5, 5);
  b.arrive(b.record(6, 6));
  const auto old = b.next<action::Fetch>();
  b.arrive(b.record(7, 7));
  CHECK(b.next<action::Cancel>()->job == old->job);
  b.feed(input::Fetched{kName, old->job, std::nullopt});
  CHECK_FALSE(b.next<action::Deliver>());
}

TEST_CASE(
    "a lower sequence than known is dropped, also after a restart; forget is the way out (R11)") {
  Bench b;
  b.settled_at(5, 5);
  b.restart();
  b.watch();
  b.arrive(b.record(4, 4));
  CHECK_FALSE(b.next<action::Fetch>());
  CHECK(b.engine->counts().at(Row::rollback) == 1);
  b.feed(input::Forget{kName});
  b.finish(*b.next<action::Resolve>(), b.record(4, 4));
  b.fetched();
  CHECK(b.delivered().sequence == Sequence{4});
}

TEST_CASE("the same hint over a second source is counted and triggers nothing (S0-54, S0-56)") {
  Bench b;
  b.settled_at(5, 5);
  b.feed(b.news(6, 6));
  CHECK(b.next<action::Resolve>());
  auto copy = b.news(6, 6);
  copy.source = {SourceKind::websocket, "wss://push.example"};
  copy.event_id.reset();
  b.feed(copy);
  b.pass(Milliseconds(1'000));
  CHECK_FALSE(b.next<action::Resolve>());
  CHECK(b.engine->deduplicator().duplicates(SourceKind::websocket) == 1);
}

TEST_CASE("the echo of our own event asks for no work (S0-31, S0-35)") {
  Bench b;
  b.settled_at(5, 5);
  b.feed(input::Sent{event(6)});
  b.feed(b.news(6, 6));
  CHECK(b.actions.empty());
  CHECK(b.engine->counts().at(Row::own_echo) == 1);
}

TEST_CASE("a copied state directory is noticed once and the event still counts") {
  Bench b({.own_key = author(3), .device_id = "phone"});
  b.settled_at(5, 5);
  auto news = b.news(6, 6, author(3));
  news.device_id = "phone";
  b.feed(news);
  CHECK(b.next<action::NewDeviceId>());
  CHECK(b.next<action::Resolve>());
  news.cid = cid(7);
  news.sequence = Sequence{7};
  b.feed(news);
  CHECK_FALSE(b.next<action::NewDeviceId>());
  b.feed(input::DeviceId{"phone-2"});
  news.sequence = Sequence{8};
  b.feed(news);
  CHECK_FALSE(b.next<action::NewDeviceId>());
}

TEST_CASE("strangers cause no fetch and a bounded number of resolutions") {
  Bench b;
  b.settled_at(5, 5);
  size_t resolutions = 0;
  for (uint8_t i = 0; i < 100; ++i) {
    b.feed(b.news(100 + i, i, kStranger));
    while (const auto resolve = b.next<action::Resolve>()) {
      ++resolutions;
      CHECK_FALSE(resolve->floor);
      b.finish(*resolve);
    }
    b.pass(Milliseconds(500));
  }
  CHECK_FALSE(b.next<action::Fetch>());
  CHECK(resolutions <= 11);
}

TEST_CASE("a trusted author whose hints are proved wrong is treated as a stranger") {
  Bench b;
  b.settled_at(5, 5);
  for (uint8_t i = 6; i < 9; ++i) {
    auto lie = b.news(i, 100);
    lie.record = b.record(i, i);
    b.feed(lie);
  }
  b.actions.clear();
  b.feed(b.news(20, 20));
  b.pass(Milliseconds(500));
  CHECK(b.next<action::Resolve>());
  for (const auto& action : b.actions) {
    if (const auto* fetch = std::get_if<action::Fetch>(&action))
      CHECK(fetch->value != value_of(cid(20)));
  }
}

TEST_CASE(
    "names are polled every 30 to 60 s, and every 120 s when their change came over a healthy "
    "source (S0-57, R29)") {
  Bench b;
  b.settled_at(5, 5);
  const auto poll = [&] {
    const Instant start = b.now.steady;
    while (true) {
      b.pass(Milliseconds(100));
      if (const auto asked = b.next<action::Poll>()) {
        b.feed(input::PollDone{kName, asked->job, std::nullopt, kNode, false});
        return std::chrono::duration_cast<Milliseconds>(b.now.steady - start);
      }
      REQUIRE(b.now.steady - start < std::chrono::minutes(3));
    }
  };
  b.feed(input::SourceHealth{kRelay, true});
  poll();
  // A relay on which nobody announced this name proves nothing for it.
  CHECK(poll() <= Milliseconds(60'200));
  b.arrive(b.record(6, 6));
  b.fetched();
  b.delivered();
  b.acknowledge();
  poll();
  CHECK(poll() >= Milliseconds(119'000));
  b.feed(input::SourceHealth{kRelay, false});
  CHECK(poll() <= Milliseconds(60'200));
  b.feed(input::SourceHealth{kRelay, true});
  poll();
  CHECK(poll() >= Milliseconds(119'000));
}

TEST_CASE("a poll that fails asks everybody (S0-58)") {
  Bench b;
  b.settled_at(5, 5);
  std::optional<action::Poll> poll;
  while (!poll) {
    b.pass(Milliseconds(1'000));
    poll = b.next<action::Poll>();
  }
  b.feed(input::PollDone{kName, poll->job, std::nullopt, kNode, true});
  CHECK(b.next<action::Resolve>());
}

TEST_CASE(
    "two values under one sequence: the handler is told of both and of the winner once (R10, "
    "S0-24)") {
  Bench b;
  b.settled_at(5, 5);
  b.arrive(b.record(5, 6, 999'999));
  b.fetched();
  const auto won = b.delivered();
  CHECK(won.kind == ChangeKind::conflict);
  CHECK(won.cid == cid(6));
  CHECK(won.other_value == value_of(cid(5)));
  b.acknowledge();
  b.arrive(b.record(5, 5));
  CHECK_FALSE(b.next<action::Deliver>());
}

TEST_CASE(
    "after three flips in an hour there is only an alarm, and the hand-over follows when the hour "
    "is over") {
  Bench b;
  b.settled_at(5, 5);
  for (uint8_t i = 6; i < 9; ++i) {
    b.arrive(b.record(5, i, 200'000 + i));
    b.fetched();
    CHECK(b.delivered().kind == ChangeKind::conflict);
    b.acknowledge();
  }
  b.actions.clear();
  b.arrive(b.record(5, 9, 200'009));
  CHECK(b.next<action::Alarm>());
  b.fetched();
  b.pass(std::chrono::minutes(59));
  CHECK_FALSE(b.next<action::Deliver>());
  b.pass(std::chrono::minutes(2));
  CHECK(b.delivered().cid == cid(9));
}

TEST_CASE("the device whose value lost is asked to merge at once, the winner after 30 s") {
  Bench b;
  b.settled_at(5, 5);
  b.feed(input::Published{kName, {5}, value_of(cid(5))});
  b.arrive(b.record(5, 6, 999'999));
  CHECK(b.next<action::Merge>());
  Bench w;
  w.settled_at(5, 5);
  w.feed(input::Published{kName, {5}, value_of(cid(5))});
  w.arrive(w.record(5, 6, 100));
  w.pass(Milliseconds(29'999));
  CHECK_FALSE(w.next<action::Merge>());
  w.pass(Milliseconds(1));
  CHECK(w.next<action::Merge>());
}

TEST_CASE("expiry is reported once, the content stays, and its renewal is told (R22)") {
  Bench b;
  b.watch();
  b.finish(*b.next<action::Resolve>(), b.record(5, 5, 600));
  b.fetched();
  b.delivered();
  b.acknowledge();
  b.pass(std::chrono::minutes(9));
  CHECK_FALSE(b.next<action::Deliver>());
  b.pass(std::chrono::minutes(2));
  const auto stale = b.delivered();
  CHECK(stale.kind == ChangeKind::stale);
  CHECK(stale.cid == cid(5));
  b.acknowledge();
  b.pass(std::chrono::minutes(5));
  CHECK_FALSE(b.next<action::Deliver>());
  b.arrive(b.record(5, 5));
  CHECK(b.delivered().kind == ChangeKind::refresh);
}

TEST_CASE("watching a name again after the last unwatch works, and nothing is forgotten (R27)") {
  Bench b;
  b.settled_at(5, 5);
  b.feed(input::Unwatch{kName});
  CHECK(b.engine->size() == 0);
  CHECK_FALSE(b.engine->next_wake());
  b.arrive(b.record(6, 6));
  CHECK_FALSE(b.next<action::Fetch>());
  b.watch();
  b.arrive(b.record(4, 4));
  CHECK_FALSE(b.next<action::Fetch>());
  b.arrive(b.record(6, 6));
  b.fetched();
  CHECK(b.delivered().sequence == Sequence{6});
}

TEST_CASE("work that nobody answers is given up and polling goes on") {
  Bench b;
  b.settled_at(5, 5);
  b.feed(b.news(6, 6));
  const auto lost = b.next<action::Resolve>();
  REQUIRE(lost);
  b.pass(Milliseconds(66'000));
  bool cancelled = false;
  while (const auto cancel = b.next<action::Cancel>())
    cancelled = cancelled || cancel->job == lost->job;
  CHECK(cancelled);
  b.pass(Milliseconds(120'000));
  CHECK((b.next<action::Poll>() || b.next<action::Resolve>()));
}
