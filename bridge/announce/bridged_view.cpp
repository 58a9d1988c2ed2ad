#include "ipnscast/bridge/announce/bridged_view.h"

#include "ipnscast/sync/state/state_reading.h"

namespace ipnscast::bridge {

Result<std::vector<AnnouncedName>> read_bridged(const std::filesystem::path& state_dir) {
  std::vector<AnnouncedName> out;
  const Status read = sync::read_state_file(state_dir, [&out](store::Database& db) -> Status {
    out.clear();
    auto table = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'bridge_names'");
    if (!table.step()) return table.status();
    auto names = load_announced(db);
    if (!names) return fail(names.error());
    out = std::move(*names);
    return {};
  });
  if (!read) return fail(read.error());
  return out;
}

}  // namespace ipnscast::bridge
