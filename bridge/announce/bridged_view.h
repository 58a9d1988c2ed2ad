#pragma once

#include <filesystem>

#include "ipnscast/bridge/announce/announced.h"

namespace ipnscast::bridge {

// The names that a bridge in this state directory announces, or did. Somebody may be working there:
// nothing is locked or written. None where no bridge ever worked. Errors of
// sync::read_state_file().
Result<std::vector<AnnouncedName>> read_bridged(const std::filesystem::path& state_dir);

}  // namespace ipnscast::bridge
