#pragma once

#include "ipnscast/nostr/base/clock.h"

namespace ipnscast::sync::gateway {

struct BreakerOptions {
  int failures = 3;           // in a row
  Milliseconds open{30'000};  // left alone for so long
};

// Leaves a gateway alone that keeps failing: after some failures in a row nothing is asked for a
// while, then one caller is let through, whose outcome decides (half open). "Not found" is no
// failure. Pure; one thread at a time.
class Breaker {
 public:
  explicit Breaker(BreakerOptions options = {}) : options_(options) {}

  // Whether a call may be made now. When half open, true once: the caller makes that call and
  // reports its outcome, or abandons it.
  bool admit(Instant now);
  // The same without taking the one place.
  bool open(Instant now) const { return now < closed_until_; }
  // The last call whose outcome is known failed.
  bool failing() const { return failures_ > 0; }
  void succeeded();
  void failed(Instant now);
  // It lied: left alone at once, for so long.
  void trip(Instant now, Milliseconds open);
  Milliseconds open_for() const { return options_.open; }
  // The call ended without telling anything about the other side (cancelled), or was not made.
  void abandoned() { trial_ = false; }

 private:
  // constant after construction
  BreakerOptions options_;

  int failures_ = 0;
  bool trial_ = false;  // the one call of a half-open breaker is under way
  Instant closed_until_{};
};

}  // namespace ipnscast::sync::gateway
