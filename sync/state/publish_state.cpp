#include "ipnscast/sync/state/publish_state.h"

namespace ipnscast::sync {
namespace {

using store::Database;
using store::Statement;

Bytes pin_key(const Cid& root) { return root.as_v1().encode(); }

Result<std::vector<Cid>> read_roots(Statement& s) {
  std::vector<Cid> out;
  while (s.step()) {
    auto cid = Cid::decode(s.blob(0));
    if (!cid) return fail(cid.error().within("state file: root"));
    out.push_back(std::move(*cid));
  }
  if (!s.status()) return fail(s.status().error());
  return out;
}

Result<std::vector<Pin>> read_pins(Statement& s) {
  std::vector<Pin> out;
  while (s.step()) {
    auto cid = Cid::decode(s.blob(1));
    if (!cid) return fail(cid.error().within("state file: pin"));
    out.push_back({s.text(0), std::move(*cid)});
  }
  if (!s.status()) return fail(s.status().error());
  return out;
}

Status change_pin(Database& db, const char* sql, const Pin& pin) {
  auto s = db.prepare(sql);
  s.bind(pin.node).bind(ByteView(pin_key(pin.root)));
  return run(s);
}

}  // namespace

Status add_version(Database& db, const IpnsName& name, const Cid& root, size_t former) {
  const Bytes key = pin_key(root);
  // The same root again becomes the newest one.
  auto remove = db.prepare("DELETE FROM sync_versions WHERE name = ? AND root = ?");
  remove.bind(ByteView(name.bytes())).bind(ByteView(key));
  if (auto done = run(remove); !done) return done;
  auto add = db.prepare("INSERT INTO sync_versions(name, root) VALUES(?, ?)");
  add.bind(ByteView(name.bytes())).bind(ByteView(key));
  if (auto done = run(add); !done) return done;
  auto trim = db.prepare(
      "DELETE FROM sync_versions WHERE name = ?1 AND number NOT IN"
      " (SELECT number FROM sync_versions WHERE name = ?1 ORDER BY number DESC LIMIT ?2)");
  trim.bind(ByteView(name.bytes())).bind(static_cast<int64_t>(former) + 1);
  return run(trim);
}

Result<std::vector<Cid>> load_versions(Database& db, const IpnsName& name) {
  auto s = db.prepare("SELECT root FROM sync_versions WHERE name = ? ORDER BY number DESC");
  s.bind(ByteView(name.bytes()));
  return read_roots(s);
}

Result<std::vector<Cid>> load_relatives(Database& db, const Cid& root) {
  auto s = db.prepare(
      "SELECT DISTINCT root FROM sync_versions WHERE name IN"
      " (SELECT name FROM sync_versions WHERE root = ?) ORDER BY number DESC");
  s.bind(ByteView(pin_key(root)));
  return read_roots(s);
}

Status note_pin(Database& db, const Pin& pin) {
  return change_pin(db, "INSERT OR IGNORE INTO sync_pins(node, root, done) VALUES(?, ?, 0)", pin);
}

Status finish_pin(Database& db, const Pin& pin) {
  return change_pin(db, "UPDATE sync_pins SET done = 1 WHERE node = ? AND root = ?", pin);
}

Status drop_pin(Database& db, const Pin& pin) {
  return change_pin(db, "DELETE FROM sync_pins WHERE node = ? AND root = ?", pin);
}

Result<std::vector<Pin>> load_missing_pins(Database& db) {
  auto s = db.prepare(
      "SELECT node, root FROM sync_pins WHERE done = 0 AND root IN"
      " (SELECT root FROM sync_versions WHERE number IN"
      "  (SELECT max(number) FROM sync_versions GROUP BY name)) ORDER BY node, root");
  return read_pins(s);
}

Result<std::vector<Cid>> load_unplaced_versions(Database& db) {
  auto s = db.prepare(
      "SELECT root FROM sync_pins WHERE root IN"
      " (SELECT root FROM sync_versions WHERE number IN"
      "  (SELECT max(number) FROM sync_versions GROUP BY name))"
      " GROUP BY root HAVING max(done) = 0 ORDER BY root");
  return read_roots(s);
}

Result<std::vector<Pin>> load_unwanted_pins(Database& db) {
  auto s = db.prepare(
      "SELECT node, root FROM sync_pins WHERE root NOT IN (SELECT root FROM sync_versions)"
      " ORDER BY node, root");
  return read_pins(s);
}

Status owe_record(Database& db, const OwedRecord& owed) {
  auto s = db.prepare("INSERT OR IGNORE INTO sync_owed_records(name, place) VALUES(?, ?)");
  s.bind(ByteView(owed.name.bytes())).bind(owed.place);
  return run(s);
}

Status drop_owed_records(Database& db, const IpnsName& name) {
  auto s = db.prepare("DELETE FROM sync_owed_records WHERE name = ?");
  s.bind(ByteView(name.bytes()));
  return run(s);
}

Status settle_record(Database& db, const OwedRecord& owed, ByteView record) {
  auto s = db.prepare(
      "DELETE FROM sync_owed_records WHERE name = ?1 AND place = ?2 AND NOT EXISTS"
      " (SELECT 1 FROM sync_own_names WHERE name = ?1 AND record <> ?3)");
  s.bind(ByteView(owed.name.bytes())).bind(owed.place).bind(record);
  return run(s);
}

Result<std::vector<OwedRecord>> load_owed_records(Database& db) {
  std::vector<OwedRecord> out;
  auto s = db.prepare("SELECT name, place FROM sync_owed_records ORDER BY name, place");
  while (s.step()) {
    const auto name = IpnsName::from_multihash(s.blob(0));
    if (!name) return fail(name.error().within("state file: name"));
    out.push_back({*name, s.text(1)});
  }
  if (!s.status()) return fail(s.status().error());
  return out;
}

}  // namespace ipnscast::sync
