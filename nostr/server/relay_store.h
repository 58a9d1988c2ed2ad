#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "ipnscast/nostr/base/store/database.h"
#include "ipnscast/nostr/event/event.h"
#include "ipnscast/nostr/event/filter.h"
#include "ipnscast/nostr/nip/negentropy.h"
#include "ipnscast/nostr/server/relay_query.h"

namespace ipnscast::nostr::server {

// What became of an event that was offered to the store.
enum class Stored {
  added,
  duplicate,   // the same id is there
  superseded,  // its address holds a newer one, or one of the same second with a lower id
  deleted,     // its author has asked for its deletion (NIP-09)
  full,        // the store has reached its size; updates of an address and deletions still fit
};

// NIP-40.
bool is_expired(const Event& event, UnixSeconds now);

// An event as a relay serves it: the text goes out as it is.
struct StoredEvent {
  EventId id;
  UnixSeconds created_at;
  std::string json;
};

// How many events satisfy some filters; `exact` is false when the counting stopped at its bound.
struct EventCount {
  uint64_t count = 0;
  bool exact = true;
};

// The events of the embedded relay in a SQLite file: latest wins per address with ties to the
// lowest id (NIP-01), deletions (NIP-09), expiry (NIP-40). One thread at a time. Verifying events
// is the caller's part.
//
// The store is bounded by refusing, not by dropping the oldest: an event that was accepted may be
// the only copy of a state that changes once a year. Fifteen sixteenths are for new events; the
// rest is left to what replaces or deletes, so that a full store still carries updates. Past
// `max_bytes` the file does not grow: Errc::io, as when the disk is full.
class RelayStore {
 public:
  // ":memory:" works for tests.
  static Result<std::unique_ptr<RelayStore>> open(const std::filesystem::path& file,
                                                  uint64_t max_bytes = uint64_t{1} << 30);

  // One transaction around a batch of adds. Queries in between see what was added.
  Status begin();
  Status commit();
  void rollback();

  // Stores the event in place of what it supersedes, and carries out deletions. Not for ephemeral
  // kinds.
  Result<Stored> add(const Event& event);
  Result<bool> contains(const EventId& id);
  // Newest first, ties lowest id first, `limit` at most (the filter's own limit is not looked at),
  // without expired ones and what is not for the viewer; so too below.
  Result<std::vector<StoredEvent>> query(const Filter& filter, uint32_t limit, UnixSeconds now,
                                         const Viewer& viewer = {});
  // Events that satisfy one filter at least, each counted once. Stops after `max`. NIP-45.
  Result<EventCount> count(const std::vector<Filter>& filters, uint32_t max, UnixSeconds now,
                           const Viewer& viewer = {});
  // The newest `limit` events at most. NIP-77.
  Result<std::vector<NegentropyItem>> items(const Filter& filter, uint32_t limit, UnixSeconds now,
                                            const Viewer& viewer = {});
  // Removes what has expired, `max` events at most. The number of events.
  Result<int64_t> purge_expired(UnixSeconds now, int64_t max = 500);

 private:
  enum class Place { free, replaced, taken };  // what holds the address of an event

  RelayStore(std::unique_ptr<store::Database> db, uint64_t max_new_bytes)
      : db_(std::move(db)), max_new_bytes_(max_new_bytes) {}
  Result<bool> is_deleted(const Event& event);
  Result<Place> make_room_at_address(const Event& event);
  Result<bool> has_room();
  Status insert(const Event& event);
  Status carry_out_deletion(const Event& deletion);

  const std::unique_ptr<store::Database> db_;
  const uint64_t max_new_bytes_;  // of the file, for events that replace nothing
};

}  // namespace ipnscast::nostr::server
