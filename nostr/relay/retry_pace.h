#pragma once

#include <algorithm>

#include "ipnscast/nostr/relay/backoff.h"

namespace ipnscast::nostr {

// How fast a relay is asked again that refused many subscriptions for now. A full relay would
// refuse each of hundreds, so one is tried, after a back-off that all of them share; each that the
// relay takes lets two more follow. Pure.
class RetryPace {
 public:
  explicit RetryPace(Backoff::Options options) : backoff_(options) {}

  // Those that were asked together count once.
  void refused(Instant now, Rng& rng) {
    allowed_ = 0;
    succeeds_ = false;
    if (now < next_ && !asked_) return;
    asked_ = false;
    wait_ = backoff_.failed(now, rng);
    next_ = now + wait_;
  }
  void taken(Instant now) {
    if (!succeeds_) backoff_.succeeded(now);
    succeeds_ = true;
    allowed_ = std::min<size_t>(allowed_ + 2, kMostAllowed);
  }
  // Whether one may be asked now, and counts it if so. Another follows after the same wait at the
  // latest, as an answer may never come.
  bool take(Instant now) {
    if (allowed_ > 0) {
      --allowed_;
    } else if (next_ <= now) {
      next_ = now + wait_;
    } else {
      return false;
    }
    asked_ = true;
    return true;
  }
  // When take() will allow one.
  Instant next() const { return allowed_ > 0 ? Instant{} : next_; }

 private:
  static constexpr size_t kMostAllowed = 1000;

  Backoff backoff_;
  Milliseconds wait_{0};
  Instant next_;
  size_t allowed_ = 0;  // without waiting
  bool succeeds_ = false;
  bool asked_ = false;  // since the last refusal
};

}  // namespace ipnscast::nostr
