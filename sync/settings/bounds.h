#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "ipnscast/nostr/base/result.h"

namespace ipnscast::sync::settings {

// Between what a setting has to be, both ends included. Errc::invalid with what is wanted.

struct Bounds {
  int64_t least = 0;
  int64_t most = 0;
  Status check(int64_t number) const;
  std::string text() const;
};

struct SizeBounds {
  uint64_t least = 0;
  uint64_t most = uint64_t{1} << 62;
  Status check(uint64_t size) const;
  std::string text() const;
};

// A hundred years at most, so that no sum with the clock overflows.
struct TimeBounds {
  std::chrono::nanoseconds least{0};
  std::string_view why{};  // not less

  // Of any unit, such that no calculation overflows: what is out of all bounds stays out of them.
  template <typename Time>
  static std::chrono::nanoseconds bounded(Time time) {
    if (time < Time(0)) return std::chrono::nanoseconds(-1);
    if (time > std::chrono::duration_cast<Time>(kLongest))
      return kLongest + std::chrono::nanoseconds(1);
    return time;
  }

  Status check(std::chrono::nanoseconds time) const;
  std::string text() const;

 private:
  static constexpr std::chrono::nanoseconds kLongest = std::chrono::hours(100 * 366 * 24);
};

}  // namespace ipnscast::sync::settings
