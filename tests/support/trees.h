#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

// The trees of files of tests/vectors/trees.json, whose contents follow from size and seed, and
// comparing trees on disk.
namespace ipnscast::test {

struct TreeFile {
  std::string path;  // empty: the tree is this one file
  size_t size = 0;
  uint32_t seed = 0;
};

struct Tree {
  std::string what;
  std::vector<TreeFile> files;
  std::string kubo_256k;       // its root as Kubo makes it
  std::string unixfs_v1_2025;  // its root in the profile of that name
};

std::vector<Tree> own_trees();

// The bytes that make_trees.mjs wrote for the file.
std::string bytes_of(const TreeFile& file);

// Writes the tree at `top`, which is not there yet: a file or a directory.
void write_tree(const Tree& tree, const std::filesystem::path& top);

// Every file below `top` by its path relative to it, with its size and SHA-256: equal for equal
// trees.
std::vector<std::string> listing(const std::filesystem::path& top);

}  // namespace ipnscast::test
