#pragma once

#include <filesystem>
#include <map>
#include <vector>

#include "ipnscast/sync/ipfs/ipns/ipns_name.h"
#include "ipnscast/sync/state/status.h"

namespace ipnscast::sync {

// What a state directory says of the publishes under a name that were displaced, the oldest first.
// Nothing is locked or written: whoever works in the directory goes on. Errc::io, Errc::parse,
// Errc::unsupported when an older version of us wrote it.
Result<std::vector<LostPublish>> read_lost(const std::filesystem::path& state_dir,
                                           const IpnsName& name);

// How many there are, of each name that has any. Errors as above.
Result<std::map<IpnsName, size_t>> count_lost(const std::filesystem::path& state_dir);

// The roots that a name had when we published it, newest first, as far as they are kept. Errors as
// above.
Result<std::vector<Cid>> read_versions(const std::filesystem::path& state_dir,
                                       const IpnsName& name);

}  // namespace ipnscast::sync
