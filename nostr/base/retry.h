#pragma once

#include <algorithm>

#include "ipnscast/nostr/base/clock.h"

namespace ipnscast {

inline constexpr Milliseconds kRetryMin{1'000};
inline constexpr Milliseconds kRetryMax{300'000};

// How long to wait after this many failures in a row: 1 s doubling to 5 min.
constexpr Milliseconds retry_after(int failures) {
  const int doublings = std::clamp(failures - 1, 0, 20);
  return std::min(kRetryMax, kRetryMin * (int64_t{1} << doublings));
}

}  // namespace ipnscast
