#pragma once

#include <list>
#include <optional>
#include <string>
#include <unordered_map>

#include "ipnscast/sync/ipfs/ipld/block_source.h"

namespace ipnscast::sync {

// Verified blocks in memory, the most recently used ones up to a bound. Not thread-safe.
class RecentBlocks {
 public:
  struct Block {
    SharedBlock bytes;
    int64_t used = 0;  // seconds, as it stands on disk
  };

  explicit RecentBlocks(size_t max_bytes) : max_bytes_(max_bytes) {}

  // Blocks of more than a quarter of the bound are not taken.
  void put(const std::string& key, SharedBlock bytes, int64_t used);
  // Null when it is not here. Valid until the next call of another function.
  Block* find(const std::string& key);
  void erase(const std::string& key);

 private:
  struct Entry {
    std::string key;
    Block block;
  };

  const size_t max_bytes_;
  size_t bytes_ = 0;
  std::list<Entry> entries_;  // the most recently used first
  std::unordered_map<std::string, std::list<Entry>::iterator> index_;
};

}  // namespace ipnscast::sync
