#include "ipnscast/sync/state/state_reading.h"

#include "ipnscast/sync/state/state_store.h"

namespace ipnscast::sync {

Status read_state_file(const std::filesystem::path& state_dir,
                       const std::function<Status(store::Database&)>& look) {
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
  const auto database = store::Database::open_read_only(file);
  if (!database) return fail(database.error());
  const Status looked = look(**database);
  if (looked || looked.error().code != Errc::internal) return looked;
  return fail(Errc::unsupported,
              "the state was written by an older version; it is brought up to date by "
              "the next command that works in it, such as watch");
}

}  // namespace ipnscast::sync
