#pragma once

#include <filesystem>
#include <set>
#include <vector>

#include "ipnscast/nostr/base/file/folder.h"

namespace ipnscast::sync {

// Files and directories that are never published: state, keys, cache, configuration. They are known
// by what they are, not by their names, so that neither links (hard ones included) nor bind mounts
// hide them. Read when it is made; any thread.
class PrivatePlaces {
 public:
  // Paths that are absent do not count.
  explicit PrivatePlaces(const std::vector<std::filesystem::path>& paths);

  // Errc::refused, naming both, for a path that is one of them, lies in one or holds one;
  // Errc::not_found, Errc::io.
  Status check(const std::filesystem::path& path) const;
  // What is found on the way down, under a path for the message. Errc::refused.
  Status check_entry(FileId id, const std::filesystem::path& path) const;

 private:
  void add_all(const std::filesystem::path& path);

  std::vector<std::filesystem::path> roots_;  // links resolved
  std::set<FileId> ids_;                      // of the roots and all that is in them
};

}  // namespace ipnscast::sync
