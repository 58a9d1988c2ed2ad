#include "ipnscast/sync/state/history.h"

#include <algorithm>

#include "ipnscast/sync/state/sequence_column.h"
#include "ipnscast/sync/state/state_reading.h"

namespace ipnscast::sync {
namespace {

using store::Database;
using store::Statement;

// As stored.
enum class Use { open, taken, refused };

constexpr const char* kVersionColumns =
    "h.number, h.sequence, h.value, h.record, h.loser, h.source, h.author, h.seen_ms, h.use, "
    "h.handed_ms, coalesce(n.passed, 0)";
constexpr const char* kVersionTables =
    " FROM sync_history AS h LEFT JOIN sync_names AS n ON n.name = h.name WHERE h.name = ?";

int64_t count_column(uint64_t count) {
  return static_cast<int64_t>(std::min<uint64_t>(count, INT64_MAX));
}

Status insert_version(Database& db, const IpnsName& name, const HistoryNote& note) {
  auto s = db.prepare(
      "INSERT OR REPLACE INTO sync_history(name, number, sequence, value, record, loser, source, "
      "author, seen_ms, use) VALUES(?,?,?,?,?,?,?,?,?,0)");
  s.bind(ByteView(name.bytes())).bind(count_column(note.number));
  s.bind(number(note.record->sequence)).bind(note.record->value);
  s.bind(ByteView(note.record->bytes)).bind_optional(note.loser);
  s.bind(static_cast<int64_t>(note.source));
  if (note.author) {
    s.bind(note.author->view());
  } else {
    s.bind_null();
  }
  s.bind(note.at.value);
  return run(s);
}

Status renew_version(Database& db, const IpnsName& name, const HistoryNote& note) {
  auto s = db.prepare("UPDATE sync_history SET record = ? WHERE name = ? AND number = ?");
  s.bind(ByteView(note.record->bytes)).bind(ByteView(name.bytes())).bind(count_column(note.number));
  return run(s);
}

// When it was taken first stays.
Status settle_versions(Database& db, const IpnsName& name, const HistoryNote& note, Use use) {
  auto s = db.prepare(
      "UPDATE sync_history SET use = ?, handed_ms = ? WHERE name = ? AND number BETWEEN ? AND ? "
      "AND use <> ?1");
  s.bind(static_cast<int64_t>(use)).bind(note.at.value).bind(ByteView(name.bytes()));
  s.bind(count_column(note.since)).bind(count_column(note.number));
  return run(s);
}

Status drop_oldest(Database& db, const IpnsName& name, uint64_t newest, size_t limit) {
  if (newest <= limit) return {};
  auto s = db.prepare("DELETE FROM sync_history WHERE name = ? AND number <= ?");
  s.bind(ByteView(name.bytes())).bind(count_column(newest - limit));
  return run(s);
}

Status save(Database& db, const IpnsName& name, const HistoryNote& note) {
  switch (note.what) {
    case HistoryNote::What::heard:
      return insert_version(db, name, note);
    case HistoryNote::What::renewed:
      return renew_version(db, name, note);
    case HistoryNote::What::taken:
      return settle_versions(db, name, note, Use::taken);
    case HistoryNote::What::refused:
      return settle_versions(db, name, note, Use::refused);
  }
  return {};
}

HeardVersion::Fate fate(Use use, bool passed) {
  if (use == Use::taken) return HeardVersion::Fate::taken;
  if (use == Use::refused) return HeardVersion::Fate::refused;
  return passed ? HeardVersion::Fate::skipped : HeardVersion::Fate::waiting;
}

HeardVersion version_at(const Statement& s) {
  HeardVersion out;
  out.number = static_cast<uint64_t>(s.integer(0));
  out.version = {sequence_at(s, 1), s.text(2)};
  out.record = s.blob(3);
  if (!s.is_null(4)) out.loser = s.text(4);
  out.source = static_cast<SourceKind>(s.integer(5));
  const Bytes author = s.blob(6);
  if (author.size() == nostr::PublicKey::kSize) out.author = nostr::PublicKey::from(author);
  out.seen = {s.integer(7)};
  out.fate = fate(static_cast<Use>(s.integer(8)), s.integer(10) >= s.integer(0));
  if (!s.is_null(9)) out.at = UnixMillis{s.integer(9)};
  return out;
}

}  // namespace

Status save_history(Database& db, const IpnsName& name, const std::vector<HistoryNote>& notes,
                    size_t limit) {
  uint64_t newest = 0;
  for (const HistoryNote& note : notes) {
    if (Status saved = save(db, name, note); !saved) return saved;
    if (note.what == HistoryNote::What::heard) newest = std::max(newest, note.number);
  }
  return drop_oldest(db, name, newest, limit);
}

Result<std::optional<HeardVersion>> find_version(Database& db, const IpnsName& name,
                                                 const HistorySearch& search) {
  auto s = db.prepare(std::string("SELECT ") + kVersionColumns + kVersionTables +
                      " AND h.number > ? AND h.number <= ? AND h.use <> ? AND h.value <> ?"
                      " ORDER BY h.number LIMIT 1");
  s.bind(ByteView(name.bytes())).bind(count_column(search.after)).bind(count_column(search.until));
  s.bind(static_cast<int64_t>(Use::refused)).bind(search.not_value);
  if (s.step()) return std::optional<HeardVersion>(version_at(s));
  if (!s.status()) return fail(s.status().error());
  return std::optional<HeardVersion>();
}

Result<std::optional<uint64_t>> first_version_since(Database& db, const IpnsName& name,
                                                    UnixMillis since) {
  auto s = db.prepare(std::string("SELECT min(h.number)") + kVersionTables +
                      " AND h.seen_ms >= ? AND h.use <> ? AND h.number <= coalesce(n.passed, 0)");
  s.bind(ByteView(name.bytes())).bind(since.value).bind(static_cast<int64_t>(Use::refused));
  if (s.step() && !s.is_null(0))
    return std::optional<uint64_t>(static_cast<uint64_t>(s.integer(0)));
  if (!s.status()) return fail(s.status().error());
  return std::optional<uint64_t>();
}

Result<std::vector<HeardVersion>> load_history(Database& db, const IpnsName& name, size_t most) {
  std::vector<HeardVersion> out;
  auto s = db.prepare(std::string("SELECT ") + kVersionColumns + kVersionTables +
                      " ORDER BY h.number DESC LIMIT ?");
  s.bind(ByteView(name.bytes())).bind(count_column(most));
  while (s.step()) out.push_back(version_at(s));
  if (!s.status()) return fail(s.status().error());
  return out;
}

Result<std::vector<HeardVersion>> read_history(const std::filesystem::path& state_dir,
                                               const IpnsName& name, size_t most) {
  std::vector<HeardVersion> out;
  const Status done = read_state_file(state_dir, [&](Database& db) -> Status {
    auto found = load_history(db, name, most);
    if (!found) return fail(found.error());
    out = std::move(*found);
    return {};
  });
  if (!done) return fail(done.error());
  return out;
}

}  // namespace ipnscast::sync
