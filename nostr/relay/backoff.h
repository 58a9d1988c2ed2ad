#pragma once

#include <optional>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/nostr/base/random.h"

namespace ipnscast::nostr {

// Waiting times between tries, with full jitter: the ceiling doubles from `first` to `last`, each
// wait is drawn from (first / 2, ceiling], so that clients which lost one relay together do not
// come back together, and none comes back at once. Starts over after `stable` of uninterrupted
// success.
class Backoff {
 public:
  struct Options {
    Milliseconds first{1'000};
    Milliseconds last{300'000};
    Milliseconds stable{60'000};
  };

  Backoff() : Backoff(Options{}) {}
  explicit Backoff(Options options) : options_(options), ceiling_(options.first) {}

  void succeeded(Instant now) { success_since_ = now; }
  // How long to wait after a failure that happened now; at least `at_least` (a server's own wish).
  Milliseconds failed(Instant now, Rng& rng, Milliseconds at_least = Milliseconds(0));

 private:
  Options options_;
  Milliseconds ceiling_;
  std::optional<Instant> success_since_;
};

}  // namespace ipnscast::nostr
