#include "ipnscast/sync/state/retracted_names.h"

namespace ipnscast::sync {

const char* const kRetractedTable = R"sql(
CREATE TABLE sync_retracted(
  name BLOB PRIMARY KEY             -- multihash
) WITHOUT ROWID;
)sql";

Status note_retracted(store::Database& db, const IpnsName& name) {
  auto s = db.prepare("INSERT OR IGNORE INTO sync_retracted(name) VALUES(?)");
  if (auto done = s.bind(ByteView(name.bytes())).run(); !done) return fail(done.error());
  return {};
}

Status forget_retracted(store::Database& db, const IpnsName& name) {
  auto s = db.prepare("DELETE FROM sync_retracted WHERE name = ?");
  if (auto done = s.bind(ByteView(name.bytes())).run(); !done) return fail(done.error());
  return {};
}

Result<bool> is_retracted(store::Database& db, const IpnsName& name) {
  auto s = db.prepare("SELECT 1 FROM sync_retracted WHERE name = ?");
  s.bind(ByteView(name.bytes()));
  if (s.step()) return true;
  if (!s.status()) return fail(s.status().error());
  return false;
}

}  // namespace ipnscast::sync
