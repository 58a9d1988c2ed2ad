#pragma once

#include <cstdint>
#include <mutex>

#include "ipnscast/nostr/base/clock.h"

namespace ipnscast::sync {

// Which of many observations the quantiles are made of: a library's exact ones cost more with each
// observation, 25 us at a million, and a walk reads as many blocks. All are taken of the first few
// thousand in two minutes, every second one of the next few thousand, and so on. Thread-safe.
class Thinning {
 public:
  bool keep(Instant now) {
    const std::lock_guard lock(mutex_);
    if (now - since_ >= kPeriod) {
      since_ = now;
      stride_ = 1;
      kept_ = seen_ = 0;
    }
    if (++seen_ % stride_ != 0) return false;
    if (++kept_ % kAtOneStride == 0) stride_ *= 2;
    return true;
  }

 private:
  static constexpr Seconds kPeriod{120};
  static constexpr uint64_t kAtOneStride = 4096;

  std::mutex mutex_;
  Instant since_;
  uint64_t stride_ = 1;
  uint64_t kept_ = 0;  // in this period, as seen_
  uint64_t seen_ = 0;
};

}  // namespace ipnscast::sync
