#include "ipnscast/sync/publish/errand_book.h"

#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::sync;

namespace {

constexpr Instant kStart{std::chrono::hours(1)};

Errand errand(Errand::Kind kind, const std::string& place) { return {kind, {1}, place}; }

}  // namespace

TEST_CASE("what a place could not be given is tried again, 1 s doubling to 5 min (S4-32)") {
  ErrandBook book({});
  const Errand one = errand(Errand::Kind::record, "a");
  book.owe({one}, kStart);
  Instant now = kStart;
  std::vector<int64_t> waits;
  for (int i = 0; i < 12; ++i) {
    REQUIRE(book.take_due(now) == std::vector<Errand>{one});
    CHECK_FALSE(book.next_due());  // under way
    book.failed(one, now);
    REQUIRE(book.next_due());
    CHECK(book.take_due(*book.next_due() - Milliseconds(1)).empty());
    waits.push_back(std::chrono::duration_cast<Seconds>(*book.next_due() - now).count());
    now = *book.next_due();
  }
  CHECK(waits == std::vector<int64_t>{1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300});
}

TEST_CASE("a place that asks for more time gets it, a day at most") {
  ErrandBook book({});
  const Errand one = errand(Errand::Kind::content, "a");
  book.owe({one}, kStart);
  for (const auto& [asked, given] : {std::pair{Seconds(120), Seconds(120)},
                                     {Seconds(0), Seconds(2)},
                                     {Seconds(10'000'000), Seconds(86'400)}}) {
    const Instant now = *book.next_due();
    REQUIRE(book.take_due(now).size() == 1);
    book.failed(one, now, asked);
    CHECK(*book.next_due() - now == given);
  }
}

TEST_CASE("what is no longer owed is forgotten, what is owed still keeps its time") {
  ErrandBook book({});
  const Errand kept = errand(Errand::Kind::content, "a");
  const Errand gone = errand(Errand::Kind::content, "b");
  book.owe({kept, gone}, kStart);
  CHECK(book.take_due(kStart).size() == 2);
  book.failed(kept, kStart);
  book.failed(gone, kStart);
  book.owe({kept}, kStart);
  CHECK(book.size() == 1);
  CHECK(book.next_due() == kStart + Seconds(1));
  book.owe({kept, errand(Errand::Kind::unpin, "c")}, kStart + Seconds(5));
  CHECK(book.take_due(kStart + Seconds(2)) == std::vector<Errand>{kept});
  book.done(kept);
  CHECK(book.size() == 1);
}

TEST_CASE(
    "an errand under way is not begun a second time, whatever the state file says meanwhile") {
  ErrandBook book({});
  const Errand one = errand(Errand::Kind::unpin, "a");
  book.owe({one}, kStart);
  CHECK(book.take_due(kStart).size() == 1);
  book.owe({}, kStart);
  book.owe({one}, kStart);
  CHECK(book.take_due(kStart + std::chrono::hours(1)).empty());
  book.done(one);
  book.owe({one}, kStart);
  CHECK(book.take_due(kStart).size() == 1);
}
