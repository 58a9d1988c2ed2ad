#pragma once

#include <filesystem>
#include <optional>

#include "ipnscast/nostr/event/event.h"
#include "ipnscast/sync/ipfs/ipns/ipns_name.h"

namespace ipnscast::sync {

// What this device announced of a name that anyone may read.
struct AnnouncedHere {
  std::optional<nostr::Address> address;  // of the last hint; nothing: none was signed here
  bool retracted = false;                 // and taken back
};

// The same of a directory that somebody else may be working in: nothing is locked or written.
// Errors of read_state_file().
Result<AnnouncedHere> read_announced(const std::filesystem::path& state_dir, const IpnsName& name);

}  // namespace ipnscast::sync
