#pragma once

#include <filesystem>

#include "ipnscast/tools/cli/command.h"

namespace ipnscast::tools {

// Where this user's state lives: --state, else $XDG_STATE_HOME/ipnscast, else
// ~/.local/state/ipnscast. Nothing is created. Errc::invalid when there is no home either.
Result<std::filesystem::path> state_directory(const Context& context);

// What --state names has to be there for a command that only looks. Errc::not_found.
Status check_state_is_there(const Context& context);

// Where blocks are kept: $XDG_CACHE_HOME/ipnscast, else ~/.cache/ipnscast. Empty, which means "in
// the state directory", with --state and without a home.
std::filesystem::path cache_directory(const Context& context);

}  // namespace ipnscast::tools
