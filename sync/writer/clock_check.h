#pragma once

#include <algorithm>
#include <optional>

#include "ipnscast/nostr/base/clock.h"

namespace ipnscast::sync {

// What a created_at from the future means: a mark of our own, or an event of our key.
enum class ClockVerdict {
  fine,            // it is not so far ahead that relays would refuse the next event
  mark_was_wrong,  // a clock ran ahead once: forget the mark and go on
  clock_is_wrong,  // ours runs behind now: what is signed by it would be over or hidden
  no_witness,      // nobody can tell which of the two
};

inline constexpr Seconds kFutureAllowed{900};
inline constexpr Seconds kWitnessAgrees{600};

// `witness`: the median of what configured servers say the time is ("Date"). Pure.
inline ClockVerdict judge_clock(UnixSeconds now, UnixSeconds mark,
                                std::optional<UnixSeconds> witness) {
  // Unsigned, so that a forged extreme cannot overflow.
  const auto ahead = [](UnixSeconds a, UnixSeconds b) {
    return a > b ? static_cast<uint64_t>(a.value) - static_cast<uint64_t>(b.value) : 0;
  };
  if (ahead(mark, now) <= static_cast<uint64_t>(kFutureAllowed.count())) return ClockVerdict::fine;
  if (!witness) return ClockVerdict::no_witness;
  const uint64_t off = std::max(ahead(now, *witness), ahead(*witness, now));
  return off <= static_cast<uint64_t>(kWitnessAgrees.count()) ? ClockVerdict::mark_was_wrong
                                                              : ClockVerdict::clock_is_wrong;
}

}  // namespace ipnscast::sync
