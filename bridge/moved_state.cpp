#include "ipnscast/bridge/moved_state.h"

#include "ipnscast/nostr/base/file/folder.h"
#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/base/store/database.h"
#include "ipnscast/sync/state/state_store.h"

namespace ipnscast::bridge {
namespace {

namespace fs = std::filesystem;

bool was_a_bridge(store::Database& db) {
  auto table = db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'bridge_names'");
  return table.step();
}

}  // namespace

Status move_state(const fs::path& from, const fs::path& to) {
  std::error_code failed;
  const fs::path source = from / sync::kStateFile;
  const fs::path target = to / sync::kStateFile;
  if (fs::exists(target, failed) || !fs::exists(source, failed)) return {};
  const auto db = store::Database::open_read_only(source);
  if (!db) return fail(db.error());
  if (!was_a_bridge(**db)) return {};
  if (const auto own = Folder::open_own(to); !own) return fail(own.error());
  const fs::path half = to / "state.sqlite.moving";
  fs::remove(half, failed);  // of one that was interrupted
  auto copy = (*db)->prepare("VACUUM INTO ?");
  if (auto copied = copy.bind(half.string()).run(); !copied) return fail(copied.error());
  fs::permissions(half, fs::perms::owner_read | fs::perms::owner_write, failed);
  if (!failed) fs::rename(half, target, failed);
  if (failed) return fail(Errc::io, target.string() + ": " + failed.message());
  log_info("bridge", "its state is in " + to.string() + " from now on");
  return {};
}

}  // namespace ipnscast::bridge
