#include "ipnscast/bridge/announce/announced.h"

namespace ipnscast::bridge {
namespace {

constexpr char kAnnouncedTables[] = R"sql(
CREATE TABLE bridge_names(
  name BLOB PRIMARY KEY,            -- multihash
  sequence INTEGER NOT NULL,        -- of the best verified record
  value TEXT NOT NULL,
  eol_seconds INTEGER NOT NULL,
  eol_nanoseconds INTEGER NOT NULL,
  data BLOB NOT NULL,               -- its signed CBOR
  record BLOB NOT NULL,             -- the whole of it
  hint_sequence INTEGER,            -- of the last announcement, with the four below; NULL: none yet
  hint_value TEXT,
  hint_eol_seconds INTEGER,
  hint_eol_nanoseconds INTEGER,
  hint_at_ms INTEGER
) WITHOUT ROWID;
)sql";

int64_t stored(sync::Sequence sequence) { return static_cast<int64_t>(sequence.value); }

sync::Sequence sequence_at(const store::Statement& row, int column) {
  return {static_cast<uint64_t>(row.integer(column))};
}

sync::Eol eol_at(const store::Statement& row, int column) {
  return {row.integer(column), static_cast<int32_t>(row.integer(column + 1))};
}

Status finish(Result<int64_t> changed) {
  if (!changed) return fail(changed.error());
  return {};
}

}  // namespace

Owed owed(const AnnouncedName& name, UnixMillis now) {
  if (!sync::root_of(name.record.value) || sync::expired(name.record, now)) return Owed::nothing;
  if (!name.hint || name.hint->value != name.record.value) return Owed::change;
  const int64_t end = name.hint->eol.seconds;
  const int64_t lifetime = end - name.hint->at.value / 1000;
  const int64_t left = end - now.value / 1000;
  return name.record.eol > name.hint->eol && left < lifetime / 2 ? Owed::renewal : Owed::nothing;
}

store::Schema bridge_schema() { return {"bridge", {{1, kAnnouncedTables}}}; }

Status save_record(store::Database& db, const sync::IpnsName& name,
                   const sync::KnownRecord& record) {
  auto row = db.prepare(
      "INSERT INTO bridge_names (name, sequence, value, eol_seconds, eol_nanoseconds, data, record)"
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (name) DO UPDATE SET sequence = ?2,"
      " value = ?3, eol_seconds = ?4, eol_nanoseconds = ?5, data = ?6, record = ?7");
  row.bind(name.bytes())
      .bind(stored(record.sequence))
      .bind(std::string_view(record.value))
      .bind(record.eol.seconds)
      .bind(int64_t{record.eol.nanoseconds})
      .bind(record.data)
      .bind(record.bytes);
  return finish(row.run());
}

Status save_hint(store::Database& db, const sync::IpnsName& name, const LastHint& hint) {
  auto row = db.prepare(
      "UPDATE bridge_names SET hint_sequence = ?2, hint_value = ?3, hint_eol_seconds = ?4,"
      " hint_eol_nanoseconds = ?5, hint_at_ms = ?6 WHERE name = ?1");
  row.bind(name.bytes())
      .bind(stored(hint.sequence))
      .bind(std::string_view(hint.value))
      .bind(hint.eol.seconds)
      .bind(int64_t{hint.eol.nanoseconds})
      .bind(hint.at.value);
  const auto changed = row.run();
  if (changed && *changed != 1) return fail(Errc::internal, "a hint for a name without a record");
  return finish(changed);
}

Status forget_hint(store::Database& db, const sync::IpnsName& name) {
  auto row = db.prepare(
      "UPDATE bridge_names SET hint_sequence = NULL, hint_value = NULL, hint_eol_seconds = NULL,"
      " hint_eol_nanoseconds = NULL, hint_at_ms = NULL WHERE name = ?1");
  return finish(row.bind(name.bytes()).run());
}

Result<std::vector<AnnouncedName>> load_announced(store::Database& db) {
  auto row = db.prepare(
      "SELECT name, sequence, value, eol_seconds, eol_nanoseconds, data, record,"
      " hint_sequence, hint_value, hint_eol_seconds, hint_eol_nanoseconds, hint_at_ms"
      " FROM bridge_names");
  std::vector<AnnouncedName> out;
  while (row.step()) {
    const auto name = sync::IpnsName::from_multihash(row.blob(0));
    if (!name) return fail(name.error().within("bridge_names"));
    AnnouncedName held{
        *name, {sequence_at(row, 1), row.text(2), eol_at(row, 3), row.blob(5), row.blob(6)}, {}};
    if (!row.is_null(7)) {
      held.hint = LastHint{sequence_at(row, 7), row.text(8), eol_at(row, 9), {row.integer(11)}};
    }
    out.push_back(std::move(held));
  }
  if (!row.status()) return fail(row.status().error());
  return out;
}

}  // namespace ipnscast::bridge
