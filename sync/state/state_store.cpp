#include "ipnscast/sync/state/state_store.h"

namespace ipnscast::sync {
namespace {

using store::Database;
using store::Statement;

Result<OwnName> read_own(const Statement& s) {
  const auto name = IpnsName::from_multihash(s.blob(0));
  if (!name) return fail(name.error().within("state file: own name"));
  return OwnName{.name = *name,
                 .sequence = {static_cast<uint64_t>(s.integer(1))},
                 .value = s.text(2),
                 .version = static_cast<uint64_t>(s.integer(3)),
                 .record = s.blob(4)};
}

Statement& bind_address(Statement& s, const nostr::Address& address) {
  return s.bind(int64_t{address.kind}).bind(address.pubkey.view()).bind(address.d);
}

}  // namespace

Status save_own_name(Database& db, const OwnName& own) {
  auto s = db.prepare(
      "INSERT OR REPLACE INTO sync_own_names(name, sequence, value, version, record) "
      "VALUES(?,?,?,?,?)");
  s.bind(ByteView(own.name.bytes())).bind(static_cast<int64_t>(own.sequence.value)).bind(own.value);
  s.bind(static_cast<int64_t>(own.version)).bind(ByteView(own.record));
  return run(s);
}

Result<std::optional<OwnName>> load_own_name(Database& db, const IpnsName& name) {
  auto s = db.prepare(
      "SELECT name, sequence, value, version, record FROM sync_own_names WHERE name = ?");
  s.bind(ByteView(name.bytes()));
  if (!s.step()) {
    if (!s.status()) return fail(s.status().error());
    return std::optional<OwnName>();
  }
  auto own = read_own(s);
  if (!own) return fail(own.error());
  return std::optional<OwnName>(std::move(*own));
}

Result<std::vector<OwnName>> load_own_names(Database& db) {
  std::vector<OwnName> out;
  auto s = db.prepare("SELECT name, sequence, value, version, record FROM sync_own_names");
  while (s.step()) {
    auto own = read_own(s);
    if (!own) return fail(own.error());
    out.push_back(std::move(*own));
  }
  if (!s.status()) return fail(s.status().error());
  return out;
}

Status save_created_at(Database& db, const nostr::Address& address, UnixSeconds mark) {
  auto s = db.prepare(
      "INSERT INTO sync_created_at(kind, pubkey, d, mark) VALUES(?,?,?,?) "
      "ON CONFLICT(kind, pubkey, d) DO UPDATE SET mark = max(mark, excluded.mark)");
  bind_address(s, address).bind(mark.value);
  return run(s);
}

Status erase_created_at(Database& db, const nostr::Address& address) {
  auto s = db.prepare("DELETE FROM sync_created_at WHERE kind = ? AND pubkey = ? AND d = ?");
  bind_address(s, address);
  return run(s);
}

Result<std::vector<CreatedAtMark>> load_created_at(Database& db) {
  std::vector<CreatedAtMark> out;
  auto s = db.prepare("SELECT kind, pubkey, d, mark FROM sync_created_at");
  while (s.step()) {
    out.push_back({{static_cast<int>(s.integer(0)), nostr::PublicKey::from(s.blob(1)), s.text(2)},
                   {s.integer(3)}});
  }
  if (!s.status()) return fail(s.status().error());
  return out;
}

Status save_sent(Database& db, const nostr::EventId& id, const nostr::Address& address,
                 UnixSeconds created_at) {
  auto insert = db.prepare(
      "INSERT OR IGNORE INTO sync_sent(id, kind, pubkey, d, created_at) VALUES(?,?,?,?,?)");
  insert.bind(id.view());
  bind_address(insert, address).bind(created_at.value);
  if (auto status = run(insert); !status) return status;
  auto prune = db.prepare(
      "DELETE FROM sync_sent WHERE id IN (SELECT id FROM sync_sent WHERE kind = ? AND pubkey = ? "
      "AND d = ? "
      "ORDER BY created_at DESC LIMIT -1 OFFSET 4)");
  bind_address(prune, address);
  return run(prune);
}

Result<std::vector<SentEvent>> load_sent(Database& db) {
  std::vector<SentEvent> out;
  auto s = db.prepare("SELECT id, kind, pubkey, d, created_at FROM sync_sent ORDER BY created_at");
  while (s.step()) {
    const nostr::Address address{static_cast<int>(s.integer(1)), nostr::PublicKey::from(s.blob(2)),
                                 s.text(3)};
    out.push_back({nostr::EventId::from(s.blob(0)), address, {s.integer(4)}});
  }
  if (!s.status()) return fail(s.status().error());
  return out;
}

Result<SentAround> load_sent_around(Database& db, const nostr::Address& address,
                                    UnixSeconds limit) {
  SentAround out;
  auto s = db.prepare(
      "SELECT id, created_at FROM sync_sent WHERE kind = ? AND pubkey = ? AND d = ?"
      " ORDER BY created_at");
  bind_address(s, address);
  while (s.step()) {
    const UnixSeconds at{s.integer(1)};
    if (at > limit) {
      out.after.push_back(nostr::EventId::from(s.blob(0)));
    } else {
      out.last = at;
    }
  }
  if (!s.status()) return fail(s.status().error());
  return out;
}

Status forget_future(Database& db, const nostr::Address& address, UnixSeconds limit) {
  auto s = db.prepare(
      "UPDATE sync_sent SET created_at = ?4 WHERE kind = ?1 AND pubkey = ?2 AND d = ?3"
      " AND created_at > ?4");
  bind_address(s, address).bind(limit.value);
  if (auto status = run(s); !status) return status;
  return erase_created_at(db, address);
}

Status save_setting(Database& db, std::string_view key, std::string_view value) {
  auto s = db.prepare("INSERT OR REPLACE INTO sync_settings(key, value) VALUES(?,?)");
  s.bind(key).bind(value);
  return run(s);
}

Result<std::optional<std::string>> load_setting(Database& db, std::string_view key) {
  auto s = db.prepare("SELECT value FROM sync_settings WHERE key = ?");
  s.bind(key);
  if (s.step()) return std::optional<std::string>(s.text(0));
  if (!s.status()) return fail(s.status().error());
  return std::optional<std::string>();
}

}  // namespace ipnscast::sync
