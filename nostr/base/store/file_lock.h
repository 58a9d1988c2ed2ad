#pragma once

#include <filesystem>

#include "ipnscast/nostr/base/result.h"

namespace ipnscast::store {

// Exclusive use of a state directory: a lock (flock) on its file "lock", which holds the holder's
// process id as text. The system lets go of it when the process ends in whatever way. Any thread.
class FileLock {
 public:
  // Creates the directory (mode 0700) when it is absent. Does not wait.
  // Errc::conflict, naming the holder, when this or another process has it; Errc::refused for a
  // directory of another user or one that everybody may write to (Folder::open_own); Errc::io.
  static Result<FileLock> acquire(const std::filesystem::path& directory);

  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace ipnscast::store
