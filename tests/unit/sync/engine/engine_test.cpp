#include "ipnscast/tests/unit/sync/engine/engine_bench.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using namespace ipnscast::test;

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
  b.fetched();
  CHECK_FALSE(b.next<action::Deliver>());
  b.finish(*resolve, std::nullopt, 0);
  CHECK(b.delivered().unconfirmed_freshness);
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

TEST_CASE("what a fetch took after a restart counts from the restart") {
  Bench b;
  b.settled_at(5, 5);
  b.arrive(b.record(6, 6));
  b.restart();
  b.actions.clear();
  b.watch();
  b.pass(Milliseconds(80));
  b.fetched();
  CHECK(b.delivered().timing.fetched == std::chrono::microseconds(80'000));
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
    "a change that arrives while the handler runs is handed over right after it (S0-23, S1-24, "
    "R14)") {
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

TEST_CASE(
    "expired = reject: content whose record ended is withdrawn once, also over a restart, and "
    "handed "
    "over anew when the record is renewed (R22)") {
  EngineOptions options;
  options.expired = ExpiredPolicy::reject;
  Bench b(options);
  b.watch();
  b.finish(*b.next<action::Resolve>(), b.record(5, 5, 600));
  b.fetched();
  b.delivered();
  b.acknowledge();
  b.pass(std::chrono::minutes(11));
  const auto withdrawn = b.delivered();
  CHECK(withdrawn.kind == ChangeKind::withdrawn);
  CHECK(withdrawn.cid == cid(5));
  b.acknowledge();
  b.restart();
  b.watch();
  b.pass(std::chrono::minutes(5));
  CHECK_FALSE(b.next<action::Deliver>());
  b.arrive(b.record(5, 5));
  b.fetched();
  const auto anew = b.delivered();
  CHECK(anew.kind == ChangeKind::change);
  CHECK(anew.cid == cid(5));
}

TEST_CASE(
    "a first contact with nothing but an expired record hands nothing over, whatever the policy") {
  for (const auto policy : {ExpiredPolicy::last_good, ExpiredPolicy::reject}) {
    EngineOptions options;
    options.expired = policy;
    Bench b(options);
    b.watch();
    b.finish(*b.next<action::Resolve>(), b.record(5, 5, -600));
    b.pass(std::chrono::minutes(1));
    CHECK_FALSE(b.next<action::Deliver>());
    CHECK_FALSE(b.next<action::Fetch>());
    CHECK(b.next<action::Alarm>());
  }
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

TEST_CASE(
    "a state that was deleted does not come back: whoever is behind may say it again, and a "
    "restart changes nothing (S0-14)") {
  Bench b;
  b.settled_at(5, 5);
  const KnownRecord before = *b.committed->record;
  b.arrive(b.record(6, 6));  // the deletion is a version like others, of an empty tree
  b.fetched();
  CHECK(b.delivered().cid == cid(6));
  b.acknowledge();
  const KnownRecord deletion = *b.committed->record;
  for (const bool restarted : {false, true}) {
    INFO("restarted " << restarted);
    if (restarted) {
      b.restart();
      b.watch();
    }
    b.actions.clear();
    b.arrive(before);
    b.feed(b.news(5, 5));
    auto with_record = b.news(5, 5);
    with_record.record = before;
    b.feed(with_record);
    b.feed(b.news(std::nullopt, 5));  // says nothing about the sequence, so it is looked up
    b.pass(Milliseconds(5'000));
    while (const auto resolve = b.next<action::Resolve>()) b.finish(*resolve, before);
    b.pass(Milliseconds(130'000));
    const auto poll = b.next<action::Poll>();
    REQUIRE(poll);
    b.feed(input::PollDone{kName, poll->job, before, kNode, false});
    CHECK_FALSE(b.next<action::Deliver>());
    REQUIRE(b.committed->record);
    CHECK(*b.committed->record == deletion);
  }
  // What is published on top of it does come.
  b.arrive(b.record(7, 7));
  b.fetched();
  CHECK(b.delivered().sequence == Sequence{7});
}

TEST_CASE(
    "after a restart the hints and records of what was handed over cause no look-up, no fetch and "
    "no second hand-over (R8)") {
  Bench b;
  b.settled_at(5, 5);
  const KnownRecord known = *b.committed->record;
  b.restart();
  b.watch();
  b.actions.clear();
  for (int copies = 0; copies < 3; ++copies) {
    b.feed(b.news(5, 5));
    b.feed(b.news(4, 4));
    auto with_record = b.news(5, 5);
    with_record.record = known;
    b.feed(with_record);
    b.arrive(known);
  }
  b.pass(Milliseconds(5'000));
  CHECK_FALSE(b.next<action::Resolve>());
  CHECK_FALSE(b.next<action::Fetch>());
  CHECK_FALSE(b.next<action::Deliver>());
  // The same content under a higher sequence is news (R13).
  b.feed(b.news(6, 5));
  CHECK(b.next<action::Resolve>());
}
