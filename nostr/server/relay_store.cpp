#include "ipnscast/nostr/server/relay_store.h"

#include <charconv>
#include <limits>
#include <unordered_set>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/event/implied_d.h"
#include "ipnscast/nostr/nip/nip09.h"
#include "ipnscast/nostr/nip/nip40.h"
#include "ipnscast/nostr/server/relay_query.h"

namespace ipnscast::nostr::server {
namespace {

constexpr uint64_t kPageBytes = 4096;
constexpr uint64_t kReserve = 16;  // one part of so many is kept from new events

// `d` is set for events with an address only, and unique there. Tag values and d are blobs: they
// may hold NUL. The orders of the indexes are the order of answers, so that a LIMIT stops early.
const store::Schema kSchema{
    "relay",
    {{1,
      "CREATE TABLE events("
      "  seq INTEGER PRIMARY KEY,"
      "  id BLOB NOT NULL UNIQUE,"
      "  pubkey BLOB NOT NULL,"
      "  kind INTEGER NOT NULL,"
      "  created_at INTEGER NOT NULL,"
      "  d BLOB,"
      "  expires_at INTEGER,"
      "  json TEXT NOT NULL);"
      "CREATE UNIQUE INDEX events_address ON events(kind, pubkey, d) WHERE d IS NOT NULL;"
      "CREATE INDEX events_pubkey_kind ON events(pubkey, kind, created_at DESC, id);"
      "CREATE INDEX events_pubkey ON events(pubkey, created_at DESC, id);"
      "CREATE INDEX events_kind ON events(kind, created_at DESC, id);"
      "CREATE INDEX events_time ON events(created_at DESC, id);"
      "CREATE INDEX events_expiry ON events(expires_at) WHERE expires_at IS NOT NULL;"
      "CREATE TABLE tags("
      "  name TEXT NOT NULL,"
      "  value BLOB NOT NULL,"
      "  event INTEGER NOT NULL REFERENCES events(seq) ON DELETE CASCADE,"
      "  PRIMARY KEY(name, value, event)) WITHOUT ROWID;"
      "CREATE INDEX tags_event ON tags(event);"},
     // created_at in the key: a subscription to one tag gets its newest without reading them all.
     {2,
      "CREATE TABLE tags_by_time("
      "  name TEXT NOT NULL,"
      "  value BLOB NOT NULL,"
      "  created_at INTEGER NOT NULL,"
      "  event INTEGER NOT NULL REFERENCES events(seq) ON DELETE CASCADE,"
      "  PRIMARY KEY(name, value, created_at DESC, event)) WITHOUT ROWID;"
      "INSERT INTO tags_by_time SELECT name, value, created_at, event"
      "  FROM tags JOIN events ON seq = event;"
      "DROP TABLE tags;"
      "ALTER TABLE tags_by_time RENAME TO tags;"
      "CREATE INDEX tags_event ON tags(event);"},
     // What an addressable event without a d tag is found by: see implies_empty_d().
     {3,
      "INSERT OR IGNORE INTO tags(name, value, created_at, event)"
      "  SELECT 'd', x'', created_at, seq FROM events"
      "  WHERE kind BETWEEN 30000 AND 39999 AND d = x''"
      "  AND NOT EXISTS (SELECT 1 FROM tags WHERE name = 'd' AND event = seq);"}}};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::optional<int64_t> number(std::string_view text) {
  int64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

// "kind:pubkey:d", as `a` tags write it. d may hold further colons.
std::string address_text(const Address& address) {
  return std::to_string(address.kind) + ":" + to_hex(address.pubkey.view()) + ":" + address.d;
}

std::optional<Address> parse_address(std::string_view text) {
  const size_t first = text.find(':');
  if (first == text.npos) return std::nullopt;
  const size_t second = text.find(':', first + 1);
  if (second == text.npos) return std::nullopt;
  const auto kind = number(text.substr(0, first));
  Address out;
  if (!kind || *kind < 0 || *kind > 65535) return std::nullopt;
  out.kind = static_cast<int>(*kind);
  if (!read_lower_hex(text.substr(first + 1, second - first - 1), out.pubkey.bytes))
    return std::nullopt;
  out.d = text.substr(second + 1);
  return out;
}

Status ran(const Result<int64_t>& result) {
  if (!result) return fail(result.error());
  return {};
}

}  // namespace

bool is_expired(const Event& event, UnixSeconds now) {
  const auto at = expiration(event);
  return at && *at <= now;
}

Result<std::unique_ptr<RelayStore>> RelayStore::open(const std::filesystem::path& file,
                                                     uint64_t max_bytes) {
  // Durability::normal: what a relay has acknowledged survives a crash of the process. In a power
  // cut the last moments may go, and then publishers notice by read-back and hold the event in
  // their outbox; a sync to disk per batch would cost the latency that the relay is there for.
  auto db = store::Database::open(file, {kSchema}, store::Durability::normal);
  if (!db) return fail(db.error());
  const uint64_t pages = max_bytes / kPageBytes;
  if (Status set = (*db)->execute("PRAGMA max_page_count=" + std::to_string(pages)); !set) {
    return fail(set.error());
  }
  return std::unique_ptr<RelayStore>(
      new RelayStore(std::move(*db), max_bytes - max_bytes / kReserve));
}

Status RelayStore::begin() { return db_->begin(); }
Status RelayStore::commit() { return db_->commit(); }
void RelayStore::rollback() { db_->rollback(); }

Result<Stored> RelayStore::add(const Event& event) {
  const auto known = contains(event.id);
  if (!known) return fail(known.error());
  if (*known) return Stored::duplicate;
  const auto deleted = is_deleted(event);
  if (!deleted) return fail(deleted.error());
  if (*deleted) return Stored::deleted;
  const auto place = make_room_at_address(event);
  if (!place) return fail(place.error());
  if (*place == Place::taken) return Stored::superseded;
  if (*place == Place::free && event.kind != kDeletionKind) {
    const auto room = has_room();
    if (!room) return fail(room.error());
    if (!*room) return Stored::full;
  }
  if (Status inserted = insert(event); !inserted) return fail(inserted.error());
  if (event.kind == kDeletionKind) {
    if (Status done = carry_out_deletion(event); !done) return fail(done.error());
  }
  return Stored::added;
}

Result<bool> RelayStore::contains(const EventId& id) {
  auto select = db_->prepare("SELECT 1 FROM events WHERE id = ?");
  const bool found = select.bind(id.view()).step();
  if (!select.status()) return fail(select.status().error());
  return found;
}

// A deletion outlives what it deleted: copies from elsewhere must not bring it back. Deletions
// themselves cannot be deleted (NIP-09).
Result<bool> RelayStore::is_deleted(const Event& event) {
  if (event.kind == kDeletionKind) return false;
  constexpr const char* kFind =
      "SELECT 1 FROM tags JOIN events ON seq = event"
      " WHERE name = ? AND value = ? AND kind = 5 AND pubkey = ? AND tags.created_at >= ?";
  auto by_id = db_->prepare(kFind);
  const std::string id = to_hex(event.id.view());
  if (by_id.bind("e")
          .bind(as_bytes(id))
          .bind(event.pubkey.view())
          .bind(std::numeric_limits<int64_t>::min())
          .step())
    return true;
  if (!by_id.status()) return fail(by_id.status().error());
  const auto address = address_of(event);
  if (!address) return false;
  auto by_address = db_->prepare(kFind);
  const std::string text = address_text(*address);
  by_address.bind("a").bind(as_bytes(text)).bind(event.pubkey.view()).bind(event.created_at.value);
  const bool found = by_address.step();
  if (!by_address.status()) return fail(by_address.status().error());
  return found;
}

// Removes the event's predecessor, unless that supersedes the event.
Result<RelayStore::Place> RelayStore::make_room_at_address(const Event& event) {
  const auto address = address_of(event);
  if (!address) return Place::free;
  auto select = db_->prepare(
      "SELECT seq, id, created_at FROM events WHERE kind = ? AND pubkey = ? AND d = ?");
  select.bind(int64_t{address->kind}).bind(address->pubkey.view()).bind(as_bytes(address->d));
  if (!select.step()) {
    if (!select.status()) return fail(select.status().error());
    return Place::free;
  }
  Event current;
  current.id = EventId::from(select.blob(1));
  current.created_at = {select.integer(2)};
  if (!supersedes(event, current)) return Place::taken;
  const auto removed =
      db_->prepare("DELETE FROM events WHERE seq = ?").bind(select.integer(0)).run();
  if (!removed) return fail(removed.error());
  return Place::replaced;
}

// Pages that were freed count as room.
Result<bool> RelayStore::has_room() {
  auto select = db_->prepare(
      "SELECT (SELECT page_count FROM pragma_page_count)"
      " - (SELECT freelist_count FROM pragma_freelist_count)");
  if (!select.step()) return fail(select.status().error());
  return static_cast<uint64_t>(select.integer(0)) * kPageBytes < max_new_bytes_;
}

Status RelayStore::insert(const Event& event) {
  const auto address = address_of(event);
  auto row = db_->prepare(
      "INSERT INTO events(id, pubkey, kind, created_at, d, expires_at, json) VALUES(?, ?, ?, ?, ?, "
      "?, ?)"
      " RETURNING seq");
  row.bind(event.id.view())
      .bind(event.pubkey.view())
      .bind(int64_t{event.kind})
      .bind(event.created_at.value);
  if (address) {
    row.bind(as_bytes(address->d));
  } else {
    row.bind_null();
  }
  const auto expires = expiration(event);
  (expires ? row.bind(expires->value) : row.bind_null()).bind(to_json(event));
  if (!row.step()) return fail(row.status().error());
  const int64_t seq = row.integer(0);
  while (row.step()) {
  }
  auto tag_row =
      db_->prepare("INSERT OR IGNORE INTO tags(name, value, created_at, event) VALUES(?, ?, ?, ?)");
  const auto add = [&](std::string_view name, std::string_view value) -> Status {
    const auto added =
        tag_row.bind(name).bind(as_bytes(value)).bind(event.created_at.value).bind(seq).run();
    return added ? Status() : fail(added.error());
  };
  for (const Tag& tag : event.tags) {
    if (tag.size() < 2 || tag[0].size() != 1 || !is_letter(tag[0][0])) continue;
    if (Status added = add(tag[0], tag[1]); !added) return added;
  }
  return implies_empty_d(event) ? add("d", "") : Status();
}

Status RelayStore::carry_out_deletion(const Event& deletion) {
  auto by_id = db_->prepare("DELETE FROM events WHERE id = ? AND pubkey = ? AND kind <> 5");
  auto by_address = db_->prepare(
      "DELETE FROM events WHERE kind = ? AND pubkey = ? AND d = ? AND created_at <= ?");
  for (const Tag& tag : deletion.tags) {
    if (tag.size() < 2) continue;
    EventId id;
    if (tag[0] == "e" && read_lower_hex(tag[1], id.bytes)) {
      if (Status done = ran(by_id.bind(id.view()).bind(deletion.pubkey.view()).run()); !done)
        return done;
    }
    if (tag[0] != "a") continue;
    const auto address = parse_address(tag[1]);
    if (!address || address->pubkey != deletion.pubkey) continue;
    by_address.bind(int64_t{address->kind}).bind(address->pubkey.view()).bind(as_bytes(address->d));
    if (Status done = ran(by_address.bind(deletion.created_at.value).run()); !done) return done;
  }
  return {};
}

Result<std::vector<StoredEvent>> RelayStore::query(const Filter& filter, uint32_t limit,
                                                   UnixSeconds now, const Viewer& viewer) {
  std::vector<StoredEvent> out;
  auto select = RelayQuery{filter, now, viewer}.events(*db_, limit);
  while (select.step()) {
    out.push_back({EventId::from(select.blob(0)), {select.integer(1)}, select.text(2)});
  }
  if (!select.status()) return fail(select.status().error());
  return out;
}

Result<EventCount> RelayStore::count(const std::vector<Filter>& filters, uint32_t max,
                                     UnixSeconds now, const Viewer& viewer) {
  std::unordered_set<int64_t> seen;  // our own numbers
  for (const Filter& filter : filters) {
    auto select = RelayQuery{filter, now, viewer}.sequences(*db_, max + 1);
    while (select.step()) {
      if (seen.size() == max && seen.count(select.integer(0)) == 0) return EventCount{max, false};
      seen.insert(select.integer(0));
    }
    if (!select.status()) return fail(select.status().error());
  }
  return EventCount{seen.size(), true};
}

Result<std::vector<NegentropyItem>> RelayStore::items(const Filter& filter, uint32_t limit,
                                                      UnixSeconds now, const Viewer& viewer) {
  std::vector<NegentropyItem> out;
  auto select = RelayQuery{filter, now, viewer}.ids(*db_, limit);
  while (select.step()) out.push_back({{select.integer(1)}, EventId::from(select.blob(0))});
  if (!select.status()) return fail(select.status().error());
  return out;
}

Result<int64_t> RelayStore::purge_expired(UnixSeconds now, int64_t max) {
  return db_
      ->prepare(
          "DELETE FROM events WHERE seq IN"
          " (SELECT seq FROM events WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)")
      .bind(now.value)
      .bind(max)
      .run();
}

}  // namespace ipnscast::nostr::server
