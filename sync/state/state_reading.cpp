#include "ipnscast/sync/state/state_reading.h"

#include "ipnscast/nostr/base/store/beside_file.h"
#include "ipnscast/sync/state/state_store.h"

namespace ipnscast::sync {
namespace {

// Processes do not begin and end so often.
constexpr int kMostLooks = 5;

using Look = std::function<Status(store::Database&)>;

Status look_once(const std::filesystem::path& file, const Look& look) {
  const auto database = store::Database::open_read_only(file);
  if (!database) return fail(database.error());
  // Somebody makes it this moment, and nobody has worked in it before.
  auto table = (*database)->prepare("SELECT 1 FROM sqlite_schema WHERE name = 'sync_names'");
  if (!table.step()) return table.status();
  return look(**database);
}

// How the file is read depends on whether somebody works in it, so that has to be the same before
// and after.
Status look_in_peace(const std::filesystem::path& file, const Look& look) {
  for (int tries = 1;; ++tries) {
    const store::BesideFile before = store::beside_file(file);
    Status looked = look_once(file, look);
    if (tries == kMostLooks || store::beside_file(file) == before) return looked;
  }
}

}  // namespace

Status read_state_file(const std::filesystem::path& state_dir, const Look& look) {
  const auto file = state_dir / kStateFile;
  std::error_code failed;
  const auto directory = std::filesystem::status(state_dir, failed).type();
  if (directory == std::filesystem::file_type::not_found) return {};
  if (directory != std::filesystem::file_type::directory)
    return fail(Errc::io, "\"" + state_dir.string() + "\" is not a directory that can be read: " +
                              (failed ? failed.message() : "it is a file"));
  if (!std::filesystem::exists(file, failed)) {
    if (!failed) return {};
    return fail(Errc::io, "\"" + file.string() + "\" cannot be read: " + failed.message());
  }
  const Status looked = look_in_peace(file, look);
  if (looked || looked.error().code != Errc::internal) return looked;
  return fail(Errc::unsupported,
              "the state was written by an older version; it is brought up to date by "
              "the next command that works in it, such as watch");
}

}  // namespace ipnscast::sync
