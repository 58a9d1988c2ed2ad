#pragma once

#include <filesystem>

#include "ipnscast/tools/cli/command.h"

namespace ipnscast::tools {

// Where this user's state lives: --state, else $XDG_STATE_HOME/ipnscast, else
// ~/.local/state/ipnscast. Nothing is created. Errc::invalid when there is no home either.
Result<std::filesystem::path> state_directory(const Context& context);

// Where this user's keys are: --keys or IPNSCAST_KEYS, else "keys" in the state directory where
// that is there, else $XDG_DATA_HOME/ipnscast/keys or ~/.local/share/ipnscast/keys: state may be
// thrown away, keys may not. Nothing is created. Errors of state_directory().
Result<std::filesystem::path> keys_directory(const Context& context);
// The same for a key that is made: with --state, "keys" in that directory.
Result<std::filesystem::path> new_keys_directory(const Context& context);

// What --state names has to be there for a command that only looks. Errc::not_found.
Status check_state_is_there(const Context& context);

// Where blocks are kept: $XDG_CACHE_HOME/ipnscast, else ~/.cache/ipnscast. Empty, which means "in
// the state directory", with --state and without a home.
std::filesystem::path cache_directory(const Context& context);

}  // namespace ipnscast::tools
