#pragma once

#include <algorithm>

#include "ipnscast/nostr/base/clock.h"

namespace ipnscast {

// How much of something is taken: `burst` at once, and what comes back with time, `per_second`. No
// limit when nothing comes back. What anybody may send must not cost us as much as they like. Pure.
class Allowance {
 public:
  Allowance(double burst, double per_second)
      : burst_(burst), per_second_(per_second), left_(burst) {}

  bool take(Instant now) {
    if (per_second_ <= 0) return true;
    if (last_ != Instant{}) {
      const std::chrono::duration<double> passed = now - last_;
      left_ = std::min(burst_, left_ + passed.count() * per_second_);
    }
    last_ = now;
    if (left_ < 1) return false;
    left_ -= 1;
    return true;
  }

 private:
  double burst_;
  double per_second_;
  double left_;
  Instant last_{};
};

}  // namespace ipnscast
