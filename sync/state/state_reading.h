#pragma once

#include <filesystem>
#include <functional>

#include "ipnscast/nostr/base/store/database.h"

namespace ipnscast::sync {

// Looks into the state file of a directory that somebody else may be working in: nothing is locked
// or written, and `look` is not called where nobody ever worked. It is called again when somebody
// began or ended to work there meanwhile, and what it said before does not count. Errc::io, what
// `look` says, and Errc::unsupported when an older version of us wrote it.
Status read_state_file(const std::filesystem::path& state_dir,
                       const std::function<Status(store::Database&)>& look);

}  // namespace ipnscast::sync
