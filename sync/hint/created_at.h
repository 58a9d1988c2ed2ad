#pragma once

#include <map>
#include <optional>
#include <vector>

#include "ipnscast/nostr/event/event.h"

namespace ipnscast::sync {

// What created_at the next event at an address gets.
struct CreatedAt {
  enum class Advice {
    // Sign and send.
    ready,
    // The address already has an event of this second: `value` lies ahead of the clock. Hold the
    // change until the clock
    // reaches it and then send only the latest; a repair after "replaced:" may go out at once.
    coalesce,
    // Our last event lies further in the future than relays take. Delete it by id (NIP-09), call
    // reset(), publish anew.
    delete_first,
  };
  UnixSeconds value;
  Advice advice = Advice::ready;
};

// Gives created_at = max(now, last + 1) per (kind, pubkey, d), so that of two events in one second,
// or before and after a clock that jumps back, the newer one wins on every relay (R3, R4). Pure;
// the caller commits each mark in the job that commits the event, and restores the marks at start.
// One thread.
class CreatedAtAllocator {
 public:
  struct Options {
    Seconds relay_limit{900};        // how far ahead of its clock a relay takes events
    size_t max_addresses = 100'000;  // own addresses that are remembered
  };

  CreatedAtAllocator();
  explicit CreatedAtAllocator(Options options);

  // What the next event would get. Takes nothing.
  CreatedAt next(const nostr::Address& address, UnixSeconds now) const;
  // The same, and takes it unless the advice is delete_first. Commit `value` as the address's mark.
  CreatedAt take(const nostr::Address& address, UnixSeconds now);

  // From a verified event of our own key, this device's or another's, also one that a relay calls
  // newer. True when the mark moved: commit it. False also for one beyond the relays' limit: it
  // must not poison the mark, see ahead_of_limit().
  bool learn(const nostr::Address& address, UnixSeconds created_at, UnixSeconds now);
  bool ahead_of_limit(UnixSeconds created_at, UnixSeconds now) const;
  // The latest time that relays take now.
  UnixSeconds limit(UnixSeconds now) const { return {now.value + options_.relay_limit.count()}; }

  // The marks from the state file.
  void restore(const nostr::Address& address, UnixSeconds mark);
  std::optional<UnixSeconds> mark(const nostr::Address& address) const;
  // The events that carried the mark are gone from the relays.
  void reset(const nostr::Address& address);

 private:
  // constant after construction
  const Options options_;

  std::map<nostr::Address, UnixSeconds> marks_;
};

}  // namespace ipnscast::sync
