#pragma once

#include "ipnscast/nostr/base/allowance.h"

namespace ipnscast::sync::push {

// How much one connection may say: a burst, as when many names are followed at once, and then so
// much a second. Whoever says more is read more slowly, so that nothing is lost and one server
// costs no more than its share. Pure.
class Pace {
 public:
  static constexpr Milliseconds kBreath{100};  // reading stops for so long

  // False: what was said is taken, and then reading stops.
  bool take(Instant now) { return allowance_.take(now); }

 private:
  static constexpr double kBurst = 2'000;
  static constexpr double kPerSecond = 500;
  Allowance allowance_{kBurst, kPerSecond};
};

}  // namespace ipnscast::sync::push
