#include "ipnscast/sync/engine/poll_schedule.h"

#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::sync;

namespace {
const SourceId kRelay{SourceKind::nostr, "wss://a.example"};
const SourceId kOther{SourceKind::nostr, "wss://b.example"};
}  // namespace

TEST_CASE(
    "without a healthy real-time source names are polled every 30 to 60 s, spread evenly (S0-10)") {
  PollSchedule schedule;
  Rng rng(1);
  Milliseconds least = Milliseconds::max();
  Milliseconds most = Milliseconds::min();
  for (int i = 0; i < 10'000; ++i) {
    const auto interval = schedule.interval(kRelay, rng);
    least = std::min(least, interval);
    most = std::max(most, interval);
  }
  CHECK(least >= Milliseconds(30'000));
  CHECK(least < Milliseconds(31'000));
  CHECK(most <= Milliseconds(60'000));
  CHECK(most > Milliseconds(59'000));
}

TEST_CASE(
    "polling slows to 120 s only for names whose latest change came over a source that is healthy "
    "now (S0-57)") {
  PollSchedule schedule;
  Rng rng(1);
  CHECK(schedule.set(kRelay, true));
  CHECK(schedule.interval(kRelay, rng) == Milliseconds(120'000));
  CHECK(schedule.interval(kOther, rng) <= Milliseconds(60'000));
  CHECK(schedule.interval({SourceKind::poll, "http://node"}, rng) <= Milliseconds(60'000));
}

TEST_CASE("the last source to die raises the polling rate, a recovered one lowers it (R29)") {
  PollSchedule schedule;
  Rng rng(1);
  schedule.set(kRelay, true);
  CHECK(schedule.set(kRelay, false));
  CHECK_FALSE(schedule.any_healthy());
  CHECK(schedule.interval(kRelay, rng) <= Milliseconds(60'000));
  CHECK(schedule.set(kRelay, true));
  CHECK(schedule.interval(kRelay, rng) == Milliseconds(120'000));
}

TEST_CASE("only a report changes a source's health, and polling is no real-time source (R28)") {
  PollSchedule schedule;
  schedule.set(kRelay, true);
  CHECK_FALSE(schedule.set(kRelay, true));
  CHECK(schedule.healthy(kRelay));
  CHECK_FALSE(schedule.set({SourceKind::poll, "http://node"}, true));
  CHECK(schedule.sources().size() == 1);
}
