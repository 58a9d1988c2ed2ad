#pragma once

#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/nostr/base/random.h"
#include "ipnscast/sync/ipfs/ipns/ipns_name.h"

namespace ipnscast::bridge {

// When which name is polled. A name that changed is asked about again after `min`; each poll that
// finds nothing new lengthens its interval towards `max`; failures wait 1 s doubling to 5 min. Each
// wait is drawn evenly around its interval, so that many names do not come due together. Pure:
// takes time, gives names. One thread.
class Scheduler {
 public:
  struct Options {
    Milliseconds min{5'000};  // S0-40
    Milliseconds max{600'000};
    size_t parallel = 64;  // polls at a time
  };
  enum class Outcome { changed, unchanged, failed };

  Scheduler(Options options, Rng rng) : options_(options), rng_(rng) {}

  // The name is due at once. One that is there already stays as it is.
  void add(const sync::IpnsName& name, Instant now);

  // What is to be polled now, the longest waiting first; under way from here on until done().
  std::vector<sync::IpnsName> take_due(Instant now);
  void done(const sync::IpnsName& name, Outcome outcome, Instant now);

  // When take_due() will have something. Nothing while all places are taken.
  std::optional<Instant> next() const;

  size_t names() const { return names_.size(); }
  size_t under_way() const { return under_way_; }

 private:
  struct State {
    Milliseconds interval{0};
    int failures = 0;
    std::optional<Instant> due;  // nothing: under way
  };
  Milliseconds wait_after(State& state, Outcome outcome);

  // constant after construction
  const Options options_;

  Rng rng_;
  std::unordered_map<sync::IpnsName, State> names_;
  std::set<std::pair<Instant, sync::IpnsName>> queue_;
  size_t under_way_ = 0;
};

}  // namespace ipnscast::bridge
