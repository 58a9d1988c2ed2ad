#include "ipnscast/tests/support/trees.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/sha256.h"
#include "ipnscast/tests/support/vectors.h"

namespace ipnscast::test {
namespace {

std::string line_of(const std::string& path, const std::string& content) {
  return path + " " + std::to_string(content.size()) + " " + to_hex(sha256(as_bytes(content)));
}

}  // namespace

std::vector<Tree> own_trees() {
  const auto manifest = nlohmann::json::parse(read_file(own_vectors() / "trees.json"));
  std::vector<Tree> out;
  for (const auto& row : manifest.at("trees")) {
    Tree tree{row.at("what"), {}, row.at("kubo_256k"), row.at("unixfs_v1_2025")};
    for (const auto& file : row.at("files"))
      tree.files.push_back({file.at("path"), file.at("size"), file.at("seed")});
    out.push_back(std::move(tree));
  }
  return out;
}

std::string bytes_of(const TreeFile& file) {
  std::string out(file.size, '\0');
  uint32_t x = file.seed;
  for (char& byte : out) {
    x = x * 1103515245U + 12345U;
    byte = static_cast<char>(x >> 16);
  }
  return out;
}

void write_tree(const Tree& tree, const std::filesystem::path& top) {
  for (const TreeFile& file : tree.files) {
    const auto path = file.path.empty() ? top : top / file.path;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes_of(file);
  }
}

std::vector<std::string> listing(const std::filesystem::path& top) {
  if (std::filesystem::is_regular_file(top)) return {line_of("", read_file(top))};
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(top)) {
    const std::string path = entry.path().lexically_relative(top).string();
    if (entry.is_regular_file()) out.push_back(line_of(path, read_file(entry.path())));
    if (!entry.is_regular_file() && !entry.is_directory()) out.push_back(path + " is no file");
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace ipnscast::test
