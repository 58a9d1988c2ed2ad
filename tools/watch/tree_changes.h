#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "ipnscast/nostr/base/result.h"

namespace ipnscast::tools {

// How one tree of files differs from another: paths of files and links, relative, sorted.
struct TreeChanges {
  std::vector<std::string> added;
  std::vector<std::string> changed;
  std::vector<std::string> removed;
  bool operator==(const TreeChanges&) const = default;
};

// Compares by kind, content and link target; modes and times are not looked at. A side that is
// absent counts as empty. Errc::io.
Result<TreeChanges> compare_trees(const std::filesystem::path& before,
                                  const std::filesystem::path& after);

}  // namespace ipnscast::tools
