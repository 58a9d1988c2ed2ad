#pragma once

#include <cstdint>
#include <filesystem>

#include "ipnscast/nostr/base/result.h"

namespace ipnscast::tools::demo {

// A small directory tree to publish: texts, a folder in a folder, a file of 1 MiB.
Status write_tree(const std::filesystem::path& root);
// Changes one file, adds one, removes one.
Status change_tree(const std::filesystem::path& root);

struct TreeSize {
  size_t files = 0;
  uint64_t bytes = 0;
};
Result<TreeSize> measure_tree(const std::filesystem::path& root);

// Byte by byte: the same paths, the same kinds, the same contents. Errc::mismatch names the first
// difference.
Status compare_trees(const std::filesystem::path& a, const std::filesystem::path& b);

}  // namespace ipnscast::tools::demo
