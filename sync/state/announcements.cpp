#include "ipnscast/sync/state/announcements.h"

#include "ipnscast/sync/hint/hint.h"
#include "ipnscast/sync/state/retracted_names.h"
#include "ipnscast/sync/state/state_reading.h"

namespace ipnscast::sync {
namespace {

// Own devices and others read the first kind, so it goes before the second.
constexpr std::string_view kLastAnnounced =
    "SELECT kind, pubkey FROM sync_sent WHERE d = ?1 ORDER BY kind = ?2 DESC, created_at DESC "
    "LIMIT 1";

Status load_announced_here(store::Database& db, const IpnsName& name, AnnouncedHere& out) {
  const std::string d = hint_d(name);
  auto row = db.prepare(kLastAnnounced);
  row.bind(std::string_view(d)).bind(int64_t{kHintKind});
  if (row.step())
    out.address = {static_cast<int>(row.integer(0)), nostr::PublicKey::from(row.blob(1)), d};
  if (!row.status()) return fail(row.status().error());
  const auto retracted = is_retracted(db, name);
  if (!retracted) return fail(retracted.error());
  out.retracted = *retracted;
  return {};
}

}  // namespace

Result<AnnouncedHere> read_announced(const std::filesystem::path& state_dir, const IpnsName& name) {
  AnnouncedHere out;
  const Status read = read_state_file(state_dir, [&](store::Database& db) {
    out = {};
    return load_announced_here(db, name, out);
  });
  if (!read) return fail(read.error());
  return out;
}

}  // namespace ipnscast::sync
