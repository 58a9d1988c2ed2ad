#pragma once

#include <map>
#include <optional>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/nostr/event/relay_url.h"

namespace ipnscast::nostr {

// What is remembered of one relay, also over restarts.
struct RelayStanding {
  size_t losses = 0;     // more than were kept
  Milliseconds next{0};  // how long it was put away the last time
  Milliseconds left{0};  // for how long it is still put away
  bool operator==(const RelayStanding&) const = default;
};

// Relays that say OK and then do not have the event (R15): after a few such losses, what a relay
// acknowledges does not count for a while. Some relays are always left to count, as a fault of ours
// would look the same at all of them. Pure.
class Quarantine {
 public:
  struct Options {
    size_t losses = 3;              // more than were kept
    Milliseconds first{3'600'000};  // doubles with each further time, up to `last`
    Milliseconds last{24 * 3'600'000};
    size_t floor = 2;  // relays that are never put away, fewer when there are fewer
  };

  Quarantine() : Quarantine(Options{}) {}
  explicit Quarantine(Options options) : options_(options) {}

  // A relay that we publish to.
  void add(const RelayUrl& relay) { relays_.try_emplace(relay); }
  // A read-back found the event, or did not find it. True when the relay's standing changed.
  bool kept(const RelayUrl& relay, Instant now);
  bool lost(const RelayUrl& relay, Instant now);
  bool holds(const RelayUrl& relay, Instant now) const;

  RelayStanding standing(const RelayUrl& relay, Instant now) const;
  // Of an earlier process, within the bounds of the options; of a relay that was not added,
  // nothing.
  void restore(const RelayUrl& relay, const RelayStanding& standing, Instant now);

 private:
  struct Standing {
    size_t losses = 0;
    Milliseconds next{0};
    std::optional<Instant> until;
  };
  size_t counting(Instant now) const;

  // constant after construction
  const Options options_;

  std::map<RelayUrl, Standing> relays_;
};

}  // namespace ipnscast::nostr
