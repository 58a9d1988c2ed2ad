#include "ipnscast/bridge/watch/scheduler.h"

#include <algorithm>
#include <map>

#include "ipnscast/sync/ipfs/ipns/ipns_key.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::bridge;
using Outcome = Scheduler::Outcome;

namespace {

sync::IpnsName name_of(uint8_t number) {
  return sync::IpnsKey::from_bytes(sync::KeyType::ed25519, Bytes(32, number))->name();
}

// A clock that only the test moves, and one scheduler on it.
struct Fixture {
  explicit Fixture(Scheduler::Options options = {}) : scheduler(options, Rng(1)) {}

  // Moves the clock to the next poll. How long that took.
  Milliseconds run_to_next() {
    const Instant next = scheduler.next().value();
    const auto waited = std::chrono::duration_cast<Milliseconds>(next - now);
    now = std::max(now, next);
    return waited;
  }
  Milliseconds poll(const sync::IpnsName& name, Outcome outcome) {
    scheduler.done(name, outcome, now);
    const Milliseconds waited = run_to_next();
    REQUIRE(scheduler.take_due(now) == std::vector{name});
    return waited;
  }

  Instant now{Seconds(1'000)};
  Scheduler scheduler;
};

}  // namespace

TEST_CASE("a name that was added is polled at once (S0-39)") {
  Fixture f;
  f.scheduler.add(name_of(1), f.now);
  f.scheduler.add(name_of(1), f.now);  // one watcher per name
  CHECK(f.scheduler.next() == f.now);
  CHECK(f.scheduler.take_due(f.now) == std::vector{name_of(1)});
  CHECK_FALSE(f.scheduler.next());
  CHECK(f.scheduler.take_due(f.now + std::chrono::hours(1)).empty());
}

TEST_CASE("whoever wants each name checked every 5 s has that, for ever (S0-40)") {
  Fixture f({.max = Scheduler::Options{}.min});
  f.scheduler.add(name_of(1), f.now);
  f.scheduler.take_due(f.now);
  for (int i = 0; i < 1'000; ++i) {
    const auto outcome = i % 3 == 0 ? Outcome::changed : Outcome::unchanged;
    REQUIRE(f.poll(name_of(1), outcome) == Seconds(5));
  }
}

TEST_CASE("a name that changes is checked every 5 s, without being asked to (S0-40)") {
  Fixture f;
  f.scheduler.add(name_of(1), f.now);
  f.scheduler.take_due(f.now);
  for (int i = 0; i < 1'000; ++i) {
    const Milliseconds waited = f.poll(name_of(1), Outcome::changed);
    REQUIRE(waited >= Seconds(5));
    REQUIRE(waited <= Seconds(6));
  }
}

TEST_CASE("a name that rests is polled ever more slowly, within the bounds") {
  Fixture f;
  f.scheduler.add(name_of(1), f.now);
  f.scheduler.take_due(f.now);
  const Milliseconds first = f.poll(name_of(1), Outcome::unchanged);
  CHECK(first >= Seconds(5));
  CHECK(first <= Milliseconds(7'500));
  Milliseconds last{0};
  for (int i = 0; i < 100; ++i) {
    last = f.poll(name_of(1), Outcome::unchanged);
    REQUIRE(last >= Seconds(5));
    REQUIRE(last <= Seconds(600));
  }
  CHECK(last >= Seconds(480));
}

TEST_CASE("after a change the next poll comes soon") {
  Fixture f;
  f.scheduler.add(name_of(1), f.now);
  f.scheduler.take_due(f.now);
  for (int i = 0; i < 50; ++i) f.poll(name_of(1), Outcome::unchanged);
  CHECK(f.poll(name_of(1), Outcome::changed) <= Seconds(6));
}

TEST_CASE("failures are waited out from 1 s to 5 min, and forgotten with the first answer") {
  Fixture f;
  f.scheduler.add(name_of(1), f.now);
  f.scheduler.take_due(f.now);
  Milliseconds ceiling{1'000};
  for (int i = 0; i < 15; ++i) {
    const Milliseconds waited = f.poll(name_of(1), Outcome::failed);
    CHECK(waited >= ceiling / 2);
    CHECK(waited <= ceiling);
    ceiling = std::min(ceiling * 2, Milliseconds(300'000));
  }
  f.poll(name_of(1), Outcome::unchanged);
  CHECK(f.poll(name_of(1), Outcome::failed) <= Seconds(1));
}

TEST_CASE("only so many polls are under way, and the longest waiting come first") {
  Fixture f({.parallel = 2});
  for (uint8_t i = 1; i <= 3; ++i) f.scheduler.add(name_of(i), f.now + Milliseconds(i));
  const Instant later = f.now + Seconds(1);
  CHECK(f.scheduler.take_due(later) == std::vector{name_of(1), name_of(2)});
  CHECK(f.scheduler.under_way() == 2);
  CHECK_FALSE(f.scheduler.next());
  f.scheduler.done(name_of(2), Outcome::unchanged, later);
  CHECK(f.scheduler.next() <= later);
  CHECK(f.scheduler.take_due(later) == std::vector{name_of(3)});
}

TEST_CASE("many names that start together spread over time") {
  Fixture f({.parallel = 200});
  for (uint8_t i = 1; i <= 200; ++i) f.scheduler.add(name_of(i), f.now);
  for (int round = 0; round < 30; ++round) {
    for (int polled = 0; polled < 200;) {
      f.run_to_next();
      for (const auto& name : f.scheduler.take_due(f.now)) {
        f.scheduler.done(name, Outcome::unchanged, f.now);
        ++polled;
      }
    }
  }
  std::map<int64_t, int> per_second;
  const Instant end = f.now + Seconds(600);
  while (*f.scheduler.next() < end) {
    f.run_to_next();
    for (const auto& name : f.scheduler.take_due(f.now)) {
      f.scheduler.done(name, Outcome::unchanged, f.now);
      ++per_second[std::chrono::duration_cast<Seconds>(f.now.time_since_epoch()).count()];
    }
  }
  for (const auto& [second, polls] : per_second) CHECK(polls < 20);
}
