#include "ipnscast/sync/gateway/score.h"

#include <cmath>

#include "ipnscast/sync/gateway/gateway_book.h"
#include "ipnscast/sync/state/state_store.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using namespace ipnscast::sync::gateway;

namespace {

constexpr int64_t kEpoch = 1'800'000'000'000;
constexpr int64_t kDay = int64_t{24} * 3600 * 1000;

Instant at(int64_t ms) { return Instant{} + std::chrono::hours(1) + Milliseconds(ms); }
Now now(int64_t ms) { return {at(ms), {kEpoch + ms}}; }

bool close_to(double a, double b) { return std::abs(a - b) <= 0.01 * std::max(1.0, b); }

GatewayBook two() { return GatewayBook({{{"http://a", {}}, 1}, {{"http://b", {}}, 1}}); }

}  // namespace

TEST_CASE("answers and failures count half after a day, lies after a week") {
  Score score;
  score.answered(at(0));
  score.failed(at(0));
  score.lied(at(0));
  CHECK(close_to(score.answers(at(kDay)), 0.5));
  CHECK(close_to(score.failures(at(2 * kDay)), 0.25));
  CHECK(close_to(score.lies(at(7 * kDay)), 0.5));
  CHECK(score.liar(at(13 * kDay)));
  CHECK_FALSE(score.liar(at(15 * kDay)));
  score.answered(at(kDay));
  CHECK(close_to(score.answers(at(kDay)), 1.5));
  CHECK(close_to(score.answers(at(0)), 1.5));  // a time that was before stays as it is
}

TEST_CASE("reliability starts at one, and falls towards none with failures") {
  Score score;
  CHECK(close_to(score.reliability(at(0)), 1.0));
  for (int i = 0; i < 96; ++i) score.answered(at(i));
  CHECK(close_to(score.reliability(at(96)), 1.0));
  for (int i = 0; i < 100; ++i) score.failed(at(100));
  CHECK(close_to(score.reliability(at(100)), 0.5));
}

TEST_CASE("a gateway that lied stands behind all others for weeks, then gets its place back") {
  GatewayBook book({{{"http://a", {}}, 1}, {{"http://b", {}}, 1}, {{"http://public", {}}, 2}});
  for (size_t i = 0; i < 3; ++i) book.note_latency(i, Milliseconds(10 * static_cast<int>(i + 1)));
  CHECK(book.by_latency() == std::vector<size_t>{0, 1, 2});
  book.report_lie(0, at(0));
  book.report(0, {}, at(1));
  CHECK(book.by_latency() == std::vector<size_t>{1, 2, 0});
  book.report(0, {}, at(13 * kDay));
  CHECK(book.by_latency() == std::vector<size_t>{1, 2, 0});
  book.report(0, {}, at(15 * kDay));
  CHECK(book.by_latency() == std::vector<size_t>{0, 1, 2});
}

TEST_CASE("every further lie keeps a gateway away for twice as long, an hour at most") {
  GatewayBook book({{{"http://a", {}}, 1}});
  int64_t when = 0;
  for (const int64_t away : {30'000, 60'000, 120'000, 240'000}) {
    book.report_lie(0, at(when));
    CHECK_FALSE(book.admit(0, at(when + away - 1)));
    CHECK(book.admit(0, at(when + away)));
    when += away;
  }
  for (int i = 0; i < 20; ++i) book.report_lie(0, at(when));
  CHECK_FALSE(book.admit(0, at(when + 3'599'999)));
  CHECK(book.admit(0, at(when + 3'600'000)));
}

TEST_CASE("a gateway that often fails comes behind a slower one that does not") {
  GatewayBook book = two();
  book.note_latency(0, Milliseconds(100));
  book.note_latency(1, Milliseconds(150));
  for (int i = 0; i < 10; ++i) book.report(0, fail(Errc::timeout, ""), at(i));
  for (int i = 0; i < 6; ++i) book.report(0, {}, at(20 + i));
  for (int i = 0; i < 6; ++i) book.report(1, {}, at(20 + i));
  CHECK(book.by_latency() == std::vector<size_t>{1, 0});
  book.report(0, {}, at(3 * kDay));
  CHECK(book.by_latency() == std::vector<size_t>{0, 1});
}

TEST_CASE("what was learned of a gateway is known after a restart, and ages meanwhile") {
  GatewayBook before = two();
  for (int i = 1; i <= 40; ++i) before.note_latency(1, Milliseconds(i));
  for (int i = 0; i < 8; ++i) before.report(1, {}, at(i));
  before.report_lie(0, at(10));
  const auto memories = before.memories(now(10));
  REQUIRE(memories.size() == 2);
  CHECK(memories[1].latencies.size() == 32);
  CHECK(memories[1].latencies.front() == Milliseconds(9));

  auto db = store::Database::open(":memory:", {sync_schema()});
  REQUIRE(db);
  REQUIRE(sync::save_gateways(**db, memories));
  const auto loaded = load_gateways(**db);
  REQUIRE(loaded);
  REQUIRE(loaded->size() == 2);

  GatewayBook after = two();
  after.restore(*loaded, {at(500'000), {kEpoch + 10 + kDay}});
  CHECK(after.by_latency() == std::vector<size_t>{1, 0});
  CHECK(after.hedge_delay(1, Milliseconds(300)) == before.hedge_delay(1, Milliseconds(300)));
  const auto again = after.memories({at(500'000), {kEpoch + 10 + kDay}});
  CHECK(close_to(again[1].answers, 4));
  CHECK(close_to(again[0].lies, 0.906));

  GatewayBook later = two();
  later.restore(*loaded, {at(0), {kEpoch + 8 * kDay}});
  CHECK(later.hedge_delay(1, Milliseconds(300)) == Milliseconds(300));  // too old to tell
}

TEST_CASE("a user and a password in a URL are not written down") {
  GatewayBook book({{{"https://user:secret@host:1/x@y", {}}, 1}});
  const auto memories = book.memories(now(0));
  CHECK(memories.at(0).url == "https://host:1/x@y");
  GatewayMemory known = memories.at(0);
  known.lies = 3;
  book.restore({known}, now(0));
  CHECK(close_to(book.memories(now(0)).at(0).lies, 3));
}

TEST_CASE("what a damaged row says is bounded") {
  Score score;
  score.restore({"u", 1e300, -5, std::nan(""), {}, {}}, Milliseconds(0), at(0));
  CHECK(close_to(score.answers(at(0)), 1'000'000));
  CHECK(score.failures(at(0)) == 0);
  CHECK(score.lies(at(0)) == 0);
  auto db = store::Database::open(":memory:", {sync_schema()});
  REQUIRE(db);
  REQUIRE((*db)->execute("INSERT INTO sync_gateways VALUES('u', 1, 2, 3, '5 7x 9', 4)"));
  CHECK(load_gateways(**db)->at(0).latencies == std::vector<Milliseconds>{Milliseconds(5)});
}

TEST_CASE("the state file keeps 256 gateways at most, and none for longer than 90 days") {
  auto db = store::Database::open(":memory:", {sync_schema()});
  REQUIRE(db);
  std::vector<GatewayMemory> rows;
  for (int i = 0; i < 300; ++i)
    rows.push_back({"http://" + std::to_string(i), 1, 0, 0, {}, {kEpoch + i}});
  REQUIRE(sync::save_gateways(**db, rows));
  CHECK(load_gateways(**db)->size() == 256);
  REQUIRE(sync::save_gateways(**db, {{"http://new", 1, 0, 0, {}, {kEpoch + 91 * kDay}}}));
  CHECK(load_gateways(**db)->size() == 1);
}

TEST_CASE("learning is passed on once a while, a lie at once") {
  GatewayBook book = two();
  int kept = 0;
  book.keep_with([&] { ++kept; }, Milliseconds(60'000));
  const Instant start = std::chrono::steady_clock::now();
  book.report(0, {}, start);
  CHECK(kept == 0);
  book.report(0, {}, start + Milliseconds(61'000));
  book.report(0, {}, start + Milliseconds(62'000));
  CHECK(kept == 1);
  book.report_lie(1, start + Milliseconds(63'000));
  CHECK(kept == 2);
}

TEST_CASE("points are for answers, speed and honesty together") {
  GatewayMemory good{"u", 100, 0, 0, {Milliseconds(1)}, {}};
  CHECK(points(good) == 100);
  good.lies = 1;
  CHECK(points(good) == 25);
  CHECK(points({"u", 0, 100, 0, {Milliseconds(1000)}, {}}) == 2);
}
