#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "nostr/base/store/database.h"
#include "nostr/event.h"
#include "nostr/filter.h"

namespace ipnscast::nostr::server {

// What became of an event that was offered to the store.
enum class Stored {
  added,
  duplicate,   // the same id is there
  superseded,  // its address holds a newer one, or one of the same second with a lower id
  deleted,     // its author has asked for its deletion (NIP-09)
};

// NIP-40.
bool is_expired(const Event& event, UnixSeconds now);

// An event as a relay serves it: the text goes out as it is.
struct StoredEvent {
  EventId id;
  UnixSeconds created_at;
  std::string json;
};

// The events of the embedded relay in a SQLite file: latest wins per address with ties to the
// lowest id (NIP-01), deletions (NIP-09), expiry (NIP-40). One thread at a time. Verifying events
// is the caller's part.
class RelayStore {
 public:
  // ":memory:" works for tests. The file stops growing at `max_bytes`: adding then gives Errc::io.
  static Result<std::unique_ptr<RelayStore>> open(const std::filesystem::path& file,
                                                  uint64_t max_bytes = uint64_t{8} << 30);

  // One transaction around a batch of adds. Queries in between see what was added.
  Status begin();
  Status commit();
  void rollback();

  // Stores the event in place of what it supersedes, and carries out deletions. Not for ephemeral
  // kinds.
  Result<Stored> add(const Event& event);
  Result<bool> contains(const EventId& id);
  // Newest first, ties lowest id first, `limit` at most (the filter's own limit is not looked at),
  // expired ones left out.
  Result<std::vector<StoredEvent>> query(const Filter& filter, uint32_t limit, UnixSeconds now);
  // Removes what has expired. The number of events.
  Result<int64_t> purge_expired(UnixSeconds now);

 private:
  explicit RelayStore(std::unique_ptr<store::Database> db) : db_(std::move(db)) {}
  Result<bool> is_deleted(const Event& event);
  Result<bool> make_room_at_address(const Event& event);
  Status insert(const Event& event);
  Status carry_out_deletion(const Event& deletion);

  std::unique_ptr<store::Database> db_;
};

}  // namespace ipnscast::nostr::server
