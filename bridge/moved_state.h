#pragma once

#include <filesystem>

#include "ipnscast/nostr/base/result.h"

namespace ipnscast::bridge {

// A bridge used to work in the state directory of its user, where nobody could publish beside it.
// What it knew and owed there (`from`) goes with it to a directory of its own (`to`), once: what
// that one has stays. `from` is read only, also while others work in it. Errc::io,
// Errc::refused as Folder::open_own().
Status move_state(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace ipnscast::bridge
