#pragma once

#include <string>

#include "ipnscast/sync/config.h"

namespace ipnscast::sync {

// Where a process keeps a state of its own beside the one that holds `state_dir`:
// STATE/as/LABEL. Errc::invalid for a label that is none: want letters, digits, - and _, 1 to 64.
Result<std::filesystem::path> place_beside(const std::filesystem::path& state_dir,
                                           const std::string& label);

// The same configuration for a client with its own state there, which reads what `state_dir` knows,
// takes no commands and is no device of its own.
Config config_beside(Config config, const std::filesystem::path& place);

}  // namespace ipnscast::sync
