#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>

namespace ipnscast::store {

// A process that has a state directory (FileLock).
struct LockHolder {
  pid_t pid = 0;
  // How it was started, its program without the path; empty for another user's that is hidden. It
  // is text from a stranger, and arguments may hold secrets.
  std::string command;
};

// Who has this directory now, as the system's table of locks says (proc(5), /proc/locks). No lock
// is taken, not even for a moment, so that nobody who starts meanwhile is refused; nothing is
// written. Nothing when nobody has it, or when the system does not tell.
std::optional<LockHolder> lock_holder(const std::filesystem::path& directory);

}  // namespace ipnscast::store
