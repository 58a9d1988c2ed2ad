#pragma once

#include <algorithm>

#include "nostr/base/clock.h"

namespace ipnscast::bridge {

// How many messages of one topic are looked at: `burst` at once, then `per_second`. What anybody
// may write to a topic must not cost us a signature check each. Pure.
class Allowance {
 public:
  Allowance(double burst, double per_second)
      : burst_(burst), per_second_(per_second), left_(burst) {}

  bool take(Instant now) {
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

}  // namespace ipnscast::bridge
