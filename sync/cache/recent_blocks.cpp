#include "ipnscast/sync/cache/recent_blocks.h"

namespace ipnscast::sync {

void RecentBlocks::put(const std::string& key, SharedBlock bytes, int64_t used) {
  const size_t size = bytes->size();
  if (size > max_bytes_ / 4) return;
  const auto [it, added] = index_.try_emplace(key);
  if (!added) return;
  entries_.push_front({key, {std::move(bytes), used}});
  it->second = entries_.begin();
  bytes_ += size;
  while (bytes_ > max_bytes_) {
    const Entry& last = entries_.back();
    bytes_ -= last.block.bytes->size();
    index_.erase(last.key);
    entries_.pop_back();
  }
}

RecentBlocks::Block* RecentBlocks::find(const std::string& key) {
  const auto it = index_.find(key);
  if (it == index_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, it->second);
  return &it->second->block;
}

void RecentBlocks::erase(const std::string& key) {
  const auto node = index_.extract(key);
  if (node.empty()) return;
  bytes_ -= node.mapped()->block.bytes->size();
  entries_.erase(node.mapped());
}

}  // namespace ipnscast::sync
