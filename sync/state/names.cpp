#include "ipnscast/sync/state/known_here.h"
#include "ipnscast/sync/state/sequence_column.h"
#include "ipnscast/sync/state/state_store.h"

namespace ipnscast::sync {
namespace {

using store::Database;
using store::Statement;

constexpr const char* kColumns =
    "name, watched, fetch_content, sequence, value, eol_seconds, eol_nanoseconds, data, record, "
    "stale, loser, source, "
    "endpoint, author, unconfirmed, seen_ms, handed_sequence, handed_value, handed_cid, owed, "
    "expiry_owed, "
    "provisional_cid, provisional_author, provisional_since_ms, withdraw_owed, failures, "
    "retry_at_ms, taken_sequence, taken_value, ahead, rejected_sequence, rejected_value, "
    "heard, passed, replay_next, replay_last";

void bind_kind(Statement& s, const std::optional<ChangeKind>& kind) {
  if (kind) {
    s.bind(static_cast<int64_t>(*kind));
  } else {
    s.bind_null();
  }
}

void bind_cid(Statement& s, const std::optional<Cid>& cid) {
  if (cid) {
    s.bind(cid->to_string());
  } else {
    s.bind_null();
  }
}

void bind_nulls(Statement& s, int count) {
  for (int i = 0; i < count; ++i) s.bind_null();
}

void bind_refused(Statement& s, const std::optional<Version>& version) {
  if (version) {
    s.bind(number(version->sequence)).bind(version->value);
  } else {
    bind_nulls(s, 2);
  }
}

Status save(Database& db, const NameRow& row) {
  auto s = db.prepare(
      std::string("INSERT OR REPLACE INTO sync_names(") + kColumns +
      ") VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
  s.bind(ByteView(row.name.bytes())).bind(int64_t{row.watched}).bind(int64_t{row.fetch_content});
  if (const auto& record = row.record) {
    s.bind(number(record->sequence)).bind(record->value);
    s.bind(record->eol.seconds).bind(int64_t{record->eol.nanoseconds});
    s.bind(ByteView(record->data)).bind(ByteView(record->bytes));
  } else {
    bind_nulls(s, 6);
  }
  s.bind(int64_t{row.stale});
  s.bind_optional(row.loser);
  s.bind(static_cast<int64_t>(row.source.kind)).bind(row.source.endpoint);
  if (row.author) {
    s.bind(row.author->view());
  } else {
    s.bind_null();
  }
  s.bind(int64_t{row.unconfirmed_freshness}).bind(row.seen.value);
  if (row.handed) {
    s.bind(number(row.handed->sequence)).bind(row.handed->value);
    bind_cid(s, row.handed->cid);
  } else {
    bind_nulls(s, 3);
  }
  bind_kind(s, row.owed);
  bind_kind(s, row.expiry_owed);
  if (const auto& provisional = row.provisional) {
    s.bind(provisional->cid.to_string())
        .bind(provisional->author.view())
        .bind(provisional->since.value);
  } else {
    bind_nulls(s, 3);
  }
  bind_cid(s, row.withdraw_owed);
  s.bind(int64_t{row.failures}).bind(row.retry_at.value);
  bind_refused(s, row.taken);
  if (row.ahead) {
    s.bind(ByteView(row.ahead->bytes));
  } else {
    s.bind_null();
  }
  bind_refused(s, row.rejected);
  s.bind(static_cast<int64_t>(row.heard)).bind(static_cast<int64_t>(row.passed));
  if (row.replay) {
    s.bind(static_cast<int64_t>(row.replay->next)).bind(static_cast<int64_t>(row.replay->last));
  } else {
    bind_nulls(s, 2);
  }
  const auto done = s.run();
  if (!done) return fail(done.error());
  return {};
}

std::optional<ChangeKind> kind_at(const Statement& s, int column) {
  if (s.is_null(column)) return std::nullopt;
  return static_cast<ChangeKind>(s.integer(column));
}

std::optional<Cid> cid_at(const Statement& s, int column) {
  if (s.is_null(column)) return std::nullopt;
  const auto cid = Cid::parse(s.text(column));
  if (!cid) return std::nullopt;
  return *cid;
}

std::optional<nostr::PublicKey> key_at(const Statement& s, int column) {
  const Bytes bytes = s.blob(column);
  if (bytes.size() != nostr::PublicKey::kSize) return std::nullopt;
  return nostr::PublicKey::from(bytes);
}

Result<NameRow> read(const Statement& s) {
  const auto name = IpnsName::from_multihash(s.blob(0));
  if (!name) return fail(name.error().within("state file: name"));
  NameRow row{.name = *name};
  row.watched = s.integer(1) != 0;
  row.fetch_content = s.integer(2) != 0;
  if (!s.is_null(3)) {
    row.record = KnownRecord{sequence_at(s, 3),
                             s.text(4),
                             {s.integer(5), static_cast<int32_t>(s.integer(6))},
                             s.blob(7),
                             s.blob(8)};
  }
  row.stale = s.integer(9) != 0;
  if (!s.is_null(10)) row.loser = s.text(10);
  row.source = {static_cast<SourceKind>(s.integer(11)), s.text(12)};
  row.author = key_at(s, 13);
  row.unconfirmed_freshness = s.integer(14) != 0;
  row.seen = {s.integer(15)};
  if (!s.is_null(16)) row.handed = NameRow::Handed{sequence_at(s, 16), s.text(17), cid_at(s, 18)};
  row.owed = kind_at(s, 19);
  row.expiry_owed = kind_at(s, 20);
  const auto provisional = cid_at(s, 21);
  const auto author = key_at(s, 22);
  if (provisional && author)
    row.provisional = NameRow::Provisional{*provisional, *author, {s.integer(23)}};
  row.withdraw_owed = cid_at(s, 24);
  row.failures = static_cast<int>(s.integer(25));
  row.retry_at = {s.integer(26)};
  if (!s.is_null(27)) row.taken = Version{sequence_at(s, 27), s.text(28)};
  if (!s.is_null(29)) {
    if (const auto ahead = sound_record(*name, s.blob(29))) row.ahead = known_record(*ahead);
  }
  if (!s.is_null(30)) row.rejected = Version{sequence_at(s, 30), s.text(31)};
  row.heard = static_cast<uint64_t>(s.integer(32));
  row.passed = static_cast<uint64_t>(s.integer(33));
  if (!s.is_null(34)) {
    row.replay =
        NameRow::Replay{static_cast<uint64_t>(s.integer(34)), static_cast<uint64_t>(s.integer(35))};
  }
  return row;
}

}  // namespace

Status save_names(Database& db, const std::vector<NameRow>& rows) {
  for (const auto& row : rows) {
    if (auto status = save(db, row); !status) return status;
  }
  return {};
}

Result<std::optional<NameRow>> load_name(Database& db, const IpnsName& name) {
  auto s = db.prepare(std::string("SELECT ") + kColumns + " FROM sync_names WHERE name = ?");
  s.bind(ByteView(name.bytes()));
  if (!s.step()) {
    if (!s.status()) return fail(s.status().error());
    return std::optional<NameRow>();
  }
  auto row = read(s);
  if (!row) return fail(row.error());
  return std::optional<NameRow>(std::move(*row));
}

Result<std::vector<NameRow>> load_watched(Database& db) {
  std::vector<NameRow> rows;
  auto s = db.prepare(std::string("SELECT ") + kColumns + " FROM sync_names WHERE watched = 1");
  while (s.step()) {
    auto row = read(s);
    if (!row) return fail(row.error());
    rows.push_back(std::move(*row));
  }
  if (!s.status()) return fail(s.status().error());
  return rows;
}

}  // namespace ipnscast::sync
