#pragma once

#include <chrono>
#include <compare>
#include <cstdint>

namespace ipnscast {

using Milliseconds = std::chrono::milliseconds;
using Seconds = std::chrono::seconds;

// A point on the monotonic clock. For time-outs and back-off; means nothing after a restart.
using Instant = std::chrono::steady_clock::time_point;

// Seconds since 1970, as in a Nostr event's created_at.
struct UnixSeconds {
  int64_t value = 0;
  auto operator<=>(const UnixSeconds&) const = default;
};

// Milliseconds since 1970, as in a hint's timestamp.
struct UnixMillis {
  int64_t value = 0;
  auto operator<=>(const UnixMillis&) const = default;
};

// Both clocks read at one moment. State machines take this and never read a clock themselves.
struct Now {
  Instant steady;
  UnixMillis wall;

  UnixSeconds seconds() const { return {wall.value / 1000}; }
};

Now system_now();

}  // namespace ipnscast
