#pragma once

#include <map>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/nostr/base/random.h"
#include "ipnscast/sync/change/change.h"

namespace ipnscast::sync {

// Which sources are healthy, and how often a name is polled because of it. Only set() changes the
// health of a source: one that is merely quiet stays what it is (R28). One thread.
class PollSchedule {
 public:
  struct Options {
    Milliseconds min{30'000};  // S0-10: uniform between min and max
    Milliseconds max{60'000};
    Milliseconds healthy{120'000};  // S0-57
    size_t max_sources = 1024;
  };

  PollSchedule();
  explicit PollSchedule(Options options);

  // True when that changed something. Polling is no real-time source, so its health is not kept.
  bool set(const SourceId& source, bool healthy);
  bool healthy(const SourceId& source) const;
  // Some real-time source is healthy.
  bool any_healthy() const;
  const std::map<SourceId, bool>& sources() const { return sources_; }

  // Until the next poll of a name whose latest verified change came from `latest`: the slow rate
  // when that is a real-time source and healthy now, else uniform between min and max. That some
  // other source is up proves nothing for the name.
  Milliseconds interval(const SourceId& latest, Rng& rng) const;
  // The same, up to a tenth later where all names would have the same one: names that were once
  // polled together do not stay together.
  Milliseconds jittered(const SourceId& latest, Rng& rng) const;

 private:
  // constant after construction
  const Options options_;

  std::map<SourceId, bool> sources_;
};

}  // namespace ipnscast::sync
