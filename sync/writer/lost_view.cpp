#include "ipnscast/sync/writer/lost_view.h"

#include <functional>

#include "ipnscast/sync/state/publish_state.h"
#include "ipnscast/sync/state/state_store.h"
#include "ipnscast/sync/writer/writer_store.h"

namespace ipnscast::sync {
namespace {

// Nothing where there is no state yet.
Status read(const std::filesystem::path& state_dir,
            const std::function<Status(store::Database&)>& look) {
  const auto file = state_dir / kStateFile;
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return {};
  const auto database = store::Database::open_read_only(file);
  if (!database) return fail(database.error());
  const Status looked = look(**database);
  if (looked || looked.error().code != Errc::internal) return looked;
  return fail(Errc::unsupported,
              "the state was written by an older version; it is brought up to date by the next "
              "command that works in it, such as watch");
}

}  // namespace

Result<std::vector<LostPublish>> read_lost(const std::filesystem::path& state_dir,
                                           const IpnsName& name) {
  std::vector<LostPublish> out;
  const Status done = read(state_dir, [&](store::Database& db) -> Status {
    const auto state = load_writer(db, name);
    if (!state) return fail(state.error());
    if (!*state) return {};
    for (const OwnPublish& own : (*state)->own) {
      if (own.state == OwnPublish::State::lost) out.push_back(lost_publish(own));
    }
    return {};
  });
  if (!done) return fail(done.error());
  return out;
}

Result<std::vector<Cid>> read_versions(const std::filesystem::path& state_dir,
                                       const IpnsName& name) {
  std::vector<Cid> out;
  const Status done = read(state_dir, [&](store::Database& db) -> Status {
    auto versions = load_versions(db, name);
    if (!versions) return fail(versions.error());
    out = std::move(*versions);
    return {};
  });
  if (!done) return fail(done.error());
  return out;
}

}  // namespace ipnscast::sync
