#pragma once

#include <filesystem>
#include <vector>

#include "ipnscast/nostr/base/store/database.h"
#include "ipnscast/sync/state/name_row.h"
#include "ipnscast/sync/state/status.h"

// The versions that a name had, as far as they were heard and proved. Those of a name are numbered
// without gaps in the order in which they were heard; NameRow says how far the application is.
// Functions run inside a job of the store's Writer, or on a reading connection.
namespace ipnscast::sync {

// What is to be noted, in the transaction that commits the row it belongs to.
struct HistoryNote {
  enum class What {
    heard,    // `record` is version `number`
    renewed,  // the same version has a later end of life, in `record`
    taken,    // the application has the versions `since` to `number`
    refused,  // or it refused them
  };
  What what = What::heard;
  uint64_t number = 0;
  UnixMillis at;
  uint64_t since = 0;
  std::optional<KnownRecord> record{};
  std::optional<std::string> loser{};  // of a conflict
  SourceKind source = SourceKind::poll;
  std::optional<nostr::PublicKey> author{};
};

// Of each name the latest `limit` versions stay. Errc::io.
Status save_history(store::Database& db, const IpnsName& name,
                    const std::vector<HistoryNote>& notes, size_t limit);

// The first version past `after`, up to `until`, that was not refused and whose value is another
// than `not_value`. Nothing when there is none.
struct HistorySearch {
  uint64_t after = 0;
  uint64_t until = 0;
  std::string not_value{};
};
Result<std::optional<HeardVersion>> find_version(store::Database& db, const IpnsName& name,
                                                 const HistorySearch& search);
// The number of the first version that was seen at this time or later, among those that the
// application is past and did not refuse. Nothing when there is none.
Result<std::optional<uint64_t>> first_version_since(store::Database& db, const IpnsName& name,
                                                    UnixMillis since);
// The newest first, at most so many.
Result<std::vector<HeardVersion>> load_history(store::Database& db, const IpnsName& name,
                                               size_t most);

// The same of a directory that somebody else may be working in: nothing is locked or written.
// Errc::io, Errc::parse, Errc::unsupported when an older version of us wrote it.
Result<std::vector<HeardVersion>> read_history(const std::filesystem::path& state_dir,
                                               const IpnsName& name, size_t most);

}  // namespace ipnscast::sync
