#include "ipnscast/nostr/net/sleep_detector.h"

#include <algorithm>
#include <ctime>

namespace ipnscast::nostr::net {
namespace {

Milliseconds read_clock(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return Milliseconds(int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000);
}

}  // namespace

SleepClocks read_sleep_clocks() {
  return {read_clock(CLOCK_MONOTONIC), read_clock(CLOCK_BOOTTIME), read_clock(CLOCK_REALTIME)};
}

Milliseconds SleepDetector::tick(const SleepClocks& now) {
  const SleepClocks last = last_.value_or(now);
  last_ = now;
  const Milliseconds awake = now.monotonic - last.monotonic;
  const Milliseconds asleep = std::max(now.boottime - last.boottime, now.wall - last.wall) - awake;
  return asleep >= kShortest ? asleep : Milliseconds(0);
}

}  // namespace ipnscast::nostr::net
