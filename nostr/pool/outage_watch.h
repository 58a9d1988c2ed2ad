#pragma once

#include <cstdint>
#include <map>
#include <set>

#include "ipnscast/nostr/base/clock.h"

namespace ipnscast::nostr {

// Tells our own outage from a relay's: when most of the relays that were connected go away within a
// few seconds, it is us. Pure.
class OutageWatch {
 public:
  struct Options {
    Milliseconds window{10'000};
    size_t least = 2;  // relays that have to go: one alone tells nothing
  };

  OutageWatch() : OutageWatch(Options{}) {}
  explicit OutageWatch(Options options) : options_(options) {}

  // True when this connection ends an outage.
  bool opened(uint64_t relay);
  // A connection ended, or a try to connect failed.
  void closed(uint64_t relay, Now now);
  // Most relays went at once and none has come back.
  bool offline() const { return offline_; }

 private:
  // constant after construction
  const Options options_;

  std::set<uint64_t> connected_;
  std::multimap<Instant, uint64_t> lost_;  // within the window
  bool offline_ = false;
};

}  // namespace ipnscast::nostr
