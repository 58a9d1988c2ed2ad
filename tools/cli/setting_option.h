#pragma once

#include <string>
#include <string_view>

#include "ipnscast/tools/cli/command.h"

namespace ipnscast::tools {

// An option that sets this key of the configuration for one run. Its help, what it takes and its
// checks are those of the key; a list is given by several options, or divided by commas.
CLI::Option* add_setting(CLI::App& command, Context& context, const std::string& flag,
                         std::string_view key);

}  // namespace ipnscast::tools
