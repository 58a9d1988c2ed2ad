#include "ipnscast/tools/watch/tree_changes.h"

#include <algorithm>
#include <fstream>
#include <map>

namespace ipnscast::tools {
namespace {

namespace fs = std::filesystem;

// Everything in a tree that is no directory, by its relative path.
using Listing = std::map<std::string, fs::file_type>;

Result<Listing> list(const fs::path& root) {
  Listing out;
  std::error_code failed;
  if (!fs::exists(root, failed)) return out;
  fs::recursive_directory_iterator at(root, failed);
  for (; !failed && at != fs::recursive_directory_iterator(); at.increment(failed)) {
    const auto type = at->symlink_status(failed).type();
    if (failed) break;
    if (type == fs::file_type::directory) continue;
    out.emplace(at->path().lexically_relative(root).string(), type);
  }
  if (failed) return fail(Errc::io, root.string() + ": " + failed.message());
  return out;
}

Result<bool> same_content(const fs::path& a, const fs::path& b) {
  std::error_code failed;
  const auto size = fs::file_size(a, failed);
  if (!failed && size != fs::file_size(b, failed)) return false;
  std::ifstream left(a, std::ios::binary);
  std::ifstream right(b, std::ios::binary);
  std::vector<char> one(65536);
  std::vector<char> two(65536);
  while (left && right) {
    left.read(one.data(), static_cast<std::streamsize>(one.size()));
    right.read(two.data(), static_cast<std::streamsize>(two.size()));
    if (left.gcount() != right.gcount() ||
        !std::equal(one.begin(), one.begin() + left.gcount(), two.begin()))
      return false;
  }
  if (!left.eof() || !right.eof()) return fail(Errc::io, a.string() + ": cannot be read");
  return true;
}

Result<bool> same(const fs::path& a, const fs::path& b, fs::file_type type) {
  if (type == fs::file_type::regular) return same_content(a, b);
  if (type != fs::file_type::symlink) return false;
  std::error_code failed;
  const auto target = fs::read_symlink(a, failed);
  return !failed && target == fs::read_symlink(b, failed) && !failed;
}

}  // namespace

Result<TreeChanges> compare_trees(const fs::path& before, const fs::path& after) {
  const auto old_files = list(before);
  if (!old_files) return fail(old_files.error());
  const auto new_files = list(after);
  if (!new_files) return fail(new_files.error());
  TreeChanges out;
  for (const auto& [path, type] : *old_files) {
    const auto found = new_files->find(path);
    if (found == new_files->end()) {
      out.removed.push_back(path);
      continue;
    }
    if (found->second == type) {
      const auto equal = same(before / path, after / path, type);
      if (!equal) return fail(equal.error());
      if (*equal) continue;
    }
    out.changed.push_back(path);
  }
  for (const auto& [path, type] : *new_files) {
    if (!old_files->contains(path)) out.added.push_back(path);
  }
  return out;
}

}  // namespace ipnscast::tools
