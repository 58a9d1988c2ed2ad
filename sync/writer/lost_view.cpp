#include "ipnscast/sync/writer/lost_view.h"

#include "ipnscast/sync/state/publish_state.h"
#include "ipnscast/sync/state/state_reading.h"
#include "ipnscast/sync/writer/writer_store.h"

namespace ipnscast::sync {
Result<std::vector<LostPublish>> read_lost(const std::filesystem::path& state_dir,
                                           const IpnsName& name) {
  std::vector<LostPublish> out;
  const Status done = read_state_file(state_dir, [&](store::Database& db) -> Status {
    const auto state = load_writer(db, name);
    if (!state) return fail(state.error());
    if (!*state) return {};
    out = lost_publishes(**state);
    return {};
  });
  if (!done) return fail(done.error());
  return out;
}

Result<std::map<IpnsName, size_t>> count_lost(const std::filesystem::path& state_dir) {
  std::map<IpnsName, size_t> out;
  const Status done = read_state_file(state_dir, [&](store::Database& db) -> Status {
    auto counts = count_lost(db);
    if (!counts) return fail(counts.error());
    out = std::move(*counts);
    return {};
  });
  if (!done) return fail(done.error());
  return out;
}

Result<std::vector<Cid>> read_versions(const std::filesystem::path& state_dir,
                                       const IpnsName& name) {
  std::vector<Cid> out;
  const Status done = read_state_file(state_dir, [&](store::Database& db) -> Status {
    auto versions = load_versions(db, name);
    if (!versions) return fail(versions.error());
    out = std::move(*versions);
    return {};
  });
  if (!done) return fail(done.error());
  return out;
}

}  // namespace ipnscast::sync
