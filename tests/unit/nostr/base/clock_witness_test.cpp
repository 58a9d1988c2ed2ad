#include "ipnscast/nostr/base/clock_witness.h"

#include <thread>
#include <vector>

#include "ipnscast/nostr/base/http_date.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;

namespace {

constexpr int64_t kTime = 1'790'000'000;

// Both clocks, some time after the start of the test.
Now at(Milliseconds passed) {
  return {Instant(std::chrono::hours(1'000)) + passed, {kTime * 1'000 + passed.count()}};
}

constexpr Seconds kDay{86'400};

}  // namespace

TEST_CASE("who was heard nothing from has nothing to say") {
  const ClockWitness witness;
  CHECK_FALSE(witness.offset(at({})));
  CHECK_FALSE(witness.time(at({})));
}

TEST_CASE("the median of what servers say stands against a few that are wrong") {
  ClockWitness witness;
  witness.note("http://a", {kTime + 3}, at({}));
  witness.note("http://b", {kTime + 365 * 86'400}, at({}));
  witness.note("http://c", {kTime - 2}, at({}));
  witness.note("ws://d", {0}, at({}));
  witness.note("ws://e", {kTime}, at({}));
  CHECK(*witness.offset(at({})) == Milliseconds(500));
  CHECK(*witness.time(at(Seconds(10))) == UnixSeconds{kTime + 10});
}

TEST_CASE("a clock of ours that is wrong is told by how much") {
  ClockWitness witness;
  for (const char* const endpoint : {"a", "b", "c"})
    witness.note(endpoint, {kTime + 3 * 86'400}, at({}));
  CHECK(*witness.offset(at({})) == 3 * kDay + Milliseconds(500));
  CHECK(*witness.time(at(Seconds(60))) == UnixSeconds{kTime + 3 * 86'400 + 60});
}

TEST_CASE("of each endpoint the latest word counts, and none for longer than an hour") {
  ClockWitness witness;
  witness.note("a", {kTime - 86'400}, at({}));
  witness.note("a", {kTime + 30 * 60}, at(std::chrono::minutes(30)));
  CHECK(*witness.offset(at(std::chrono::minutes(31))) == Milliseconds(500));
  CHECK(witness.offset(at(std::chrono::minutes(90))));
  CHECK_FALSE(witness.offset(at(std::chrono::minutes(91))));
}

TEST_CASE("what was heard before our clock was set, or the machine slept, counts for nothing") {
  ClockWitness witness;
  witness.note("a", {kTime}, at({}));
  Now now = at(Seconds(10));
  now.wall.value += 3 * 86'400'000LL;
  CHECK_FALSE(witness.offset(now));
  now.wall.value -= 6 * 86'400'000LL;
  CHECK_FALSE(witness.offset(now));
  // A clock that is slewed by a few seconds was not set.
  now = at(Seconds(10));
  now.wall.value += 30'000;
  CHECK(witness.offset(now));
  // Nor does a clock that was set back make it younger.
  now = at(Seconds(10));
  now.steady -= Seconds(20);
  CHECK_FALSE(witness.offset(now));
}

TEST_CASE("two who contradict each other are no witness") {
  ClockWitness witness;
  witness.note("a", {kTime}, at({}));
  witness.note("b", {kTime + 86'400}, at({}));
  CHECK_FALSE(witness.offset(at({})));
  witness.note("b", {kTime + 10}, at({}));
  CHECK(*witness.offset(at({})) == Milliseconds(5'500));
}

TEST_CASE("only so many endpoints are remembered; who was heard longest ago goes") {
  ClockWitness witness;
  witness.note("right", {kTime}, at({}));
  for (size_t i = 0; i < ClockWitness::kMostEndpoints; ++i)
    witness.note("wrong " + std::to_string(i), {kTime + 86'400}, at(Seconds(1)));
  // By one more than half, were it still there.
  CHECK(*witness.offset(at(Seconds(1))) == kDay - Milliseconds(500));
  for (size_t i = 0; i < 1'000; ++i)
    witness.note("endpoint " + std::to_string(i), {kTime + 2}, at(Seconds(2)));
  CHECK(*witness.offset(at(Seconds(2))) == Milliseconds(500));
}

TEST_CASE("a witness is asked and told by several threads") {
  ClockWitness witness;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int j = 0; j < 500; ++j) {
        witness.note(std::to_string(i * 500 + j), {kTime}, at({}));
        (void)witness.offset(at({}));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(*witness.offset(at({})) == Milliseconds(500));
}

TEST_CASE("dates of HTTP are read as RFC 9110 has them, and nothing else is one") {
  CHECK(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == UnixSeconds{784'111'777});
  CHECK(parse_http_date("Thu, 01 Jan 1970 00:00:00 GMT") == UnixSeconds{0});
  CHECK(parse_http_date("Thu, 29 Feb 2024 23:59:60 GMT") == UnixSeconds{1'709'251'200});
  for (const char* const bad :
       {"", "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Mon, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994", "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
        "Fri, 30 Feb 2024 00:00:00 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, +6 Nov 1994 08:49:37 GMT"}) {
    INFO(bad);
    CHECK_FALSE(parse_http_date(bad));
  }
  for (const int64_t time : {int64_t{0}, kTime, int64_t{951'782'400}, int64_t{253'402'300'799}}) {
    INFO(http_date({time}));
    CHECK(parse_http_date(http_date({time})) == UnixSeconds{time});
  }
  CHECK(http_date({784'111'777}) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(http_date({-5}) == http_date({0}));
  ClockWitness witness;
  witness.note_date("a", "yesterday", at({}));
  CHECK_FALSE(witness.offset(at({})));
  witness.note_date("a", http_date({kTime}), at({}));
  CHECK(witness.offset(at({})));
}
