#include "ipnscast/tools/demo/tree.h"

#include <algorithm>
#include <fstream>
#include <map>

#include "ipnscast/nostr/base/bytes.h"
#include "ipnscast/nostr/base/random.h"

namespace ipnscast::tools::demo {
namespace {

namespace fs = std::filesystem;

constexpr size_t kLargeFile = size_t{1} << 20;

Status write_file(const fs::path& file, std::string_view content) {
  std::error_code failed;
  fs::create_directories(file.parent_path(), failed);
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out.write(content.data(), static_cast<std::streamsize>(content.size()));
  out.close();
  if (!out) return fail(Errc::io, file.string() + ": cannot write");
  return {};
}

Result<std::string> read_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string content{std::istreambuf_iterator<char>(in), {}};
  if (!in) return fail(Errc::io, file.string() + ": cannot read");
  return content;
}

using Entries = std::map<std::string, fs::file_status>;

Result<Entries> list(const fs::path& root) {
  Entries out;
  std::error_code failed;
  fs::recursive_directory_iterator it(root, failed);
  for (; !failed && it != fs::recursive_directory_iterator(); it.increment(failed))
    out.emplace(it->path().lexically_relative(root).string(), it->symlink_status(failed));
  if (failed) return fail(Errc::io, root.string() + ": " + failed.message());
  return out;
}

}  // namespace

Status write_tree(const fs::path& root) {
  const Bytes large = random_bytes(kLargeFile);
  const std::pair<const char*, std::string_view> files[] = {
      {"README.txt", "Content under a name that can move.\n"},
      {"settings/theme.json", "{\"theme\":\"dark\"}\n"},
      {"settings/deep/empty", ""},
      {"notes/old.txt", "This one will be removed.\n"},
      {"large.bin", as_text(large)}};
  for (const auto& [name, content] : files) {
    if (auto written = write_file(root / name, content); !written) return written;
  }
  return {};
}

Status change_tree(const fs::path& root) {
  if (auto written = write_file(root / "settings/theme.json", "{\"theme\":\"light\"}\n"); !written)
    return written;
  if (auto written = write_file(root / "notes/new.txt", "This one is new.\n"); !written)
    return written;
  std::error_code failed;
  if (!fs::remove(root / "notes/old.txt", failed))
    return fail(Errc::io, "notes/old.txt: cannot remove");
  return {};
}

Result<TreeSize> measure_tree(const fs::path& root) {
  const auto entries = list(root);
  if (!entries) return fail(entries.error());
  TreeSize out;
  for (const auto& [name, status] : *entries) {
    if (!fs::is_regular_file(status)) continue;
    std::error_code failed;
    ++out.files;
    out.bytes += fs::file_size(root / name, failed);
    if (failed) return fail(Errc::io, name + ": " + failed.message());
  }
  return out;
}

Status compare_trees(const fs::path& a, const fs::path& b) {
  const auto left = list(a);
  if (!left) return fail(left.error());
  const auto right = list(b);
  if (!right) return fail(right.error());
  for (const auto& [name, status] : *left) {
    const auto twin = right->find(name);
    if (twin == right->end()) return fail(Errc::mismatch, name + ": missing in " + b.string());
    if (twin->second.type() != status.type())
      return fail(Errc::mismatch, name + ": of another kind in " + b.string());
    if (!fs::is_regular_file(status)) continue;
    const auto content = read_file(a / name);
    if (!content) return fail(content.error());
    const auto copy = read_file(b / name);
    if (!copy) return fail(copy.error());
    if (*content != *copy) return fail(Errc::mismatch, name + ": other bytes in " + b.string());
  }
  for (const auto& [name, status] : *right) {
    if (left->count(name) == 0) return fail(Errc::mismatch, name + ": only in " + b.string());
  }
  return {};
}

}  // namespace ipnscast::tools::demo
