#include "ipnscast/nostr/base/store/migrate.h"

namespace ipnscast::store {
namespace {

// 0 for a layer that the file does not have yet.
Result<int64_t> version_of(Database& db, std::string_view layer) {
  Statement select = db.prepare("SELECT version FROM schema_versions WHERE layer = ?");
  const bool found = select.bind(layer).step();
  if (!select.status()) return fail(select.status().error());
  return found ? select.integer(0) : 0;
}

int newest(const Schema& schema) {
  return schema.migrations.empty() ? 0 : schema.migrations.back().number;
}

Status take_step(Database& db, std::string_view layer, const Migration& migration) {
  if (Status ran = db.execute(migration.sql); !ran) return ran;
  const auto noted =
      db.prepare("INSERT OR REPLACE INTO schema_versions(layer, version) VALUES(?, ?)")
          .bind(layer)
          .bind(int64_t{migration.number})
          .run();
  if (!noted) return fail(noted.error());
  return {};
}

// The versions are read inside the transaction: another process may have taken the same steps
// meanwhile.
Status take_steps(Database& db, const std::vector<Schema>& schemas) {
  for (const Schema& schema : schemas) {
    const auto version = version_of(db, schema.layer);
    if (!version) return fail(version.error());
    for (const Migration& migration : schema.migrations) {
      if (migration.number <= *version) continue;
      Status taken = take_step(db, schema.layer, migration);
      if (taken) continue;
      const std::string step = std::string(schema.layer) + " " + std::to_string(migration.number);
      return fail(taken.error().within("migration " + step));
    }
  }
  return {};
}

}  // namespace

Status migrate(Database& db, const std::string& file, const std::vector<Schema>& schemas) {
  Status status = db.execute(
      "CREATE TABLE IF NOT EXISTS schema_versions("
      "layer TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID");
  if (!status) return status;
  bool behind = false;
  for (const Schema& schema : schemas) {
    const auto version = version_of(db, schema.layer);
    if (!version) return fail(version.error());
    behind = behind || *version < newest(schema);
    if (*version <= newest(schema)) continue;
    return fail(Errc::unsupported, file + ": its " + std::string(schema.layer) +
                                       " tables have version " + std::to_string(*version) +
                                       ", this program knows up to " +
                                       std::to_string(newest(schema)) + ": use a newer program");
  }
  if (!behind) return {};
  status = db.begin();
  if (status) status = take_steps(db, schemas);
  if (status) status = db.commit();
  if (status) return {};
  db.rollback();
  return fail(status.error().within(file));
}

}  // namespace ipnscast::store
