// What the cache keeps beside its bound: content that nobody else may have, and content that is
// being published.
#include <algorithm>

#include "ipnscast/sync/cache/block_cache.h"

namespace ipnscast::sync {

void BlockCache::set_kept(Kept kept) {
  std::lock_guard lock(mutex_);
  if (kept == kept_) return;
  kept_ = std::move(kept);
  kept_found_ = false;
  full_below_ = 0;
}

std::vector<uint64_t> BlockCache::sizes(const std::vector<Cid>& roots) {
  std::lock_guard lock(mutex_);
  std::vector<uint64_t> out;
  Keys keys;
  for (const Cid& root : roots) out.push_back(size_of(protect(root, keys)));
  return out;
}

BlockCache::Publishing::Publishing(BlockCache& cache) : cache_(cache) {
  std::lock_guard lock(cache_.mutex_);
  cache_.publishing_.push_back(this);
}

// What it is now decides whether it stays: the current version of a name, kept apart, or nothing.
BlockCache::Publishing::~Publishing() {
  std::lock_guard lock(cache_.mutex_);
  std::erase(cache_.publishing_, this);
  cache_.kept_found_ = false;
  cache_.let_go();
}

Status BlockCache::Publishing::put(const Cid& cid, ByteView block) {
  if (block.size() > kMaxBlockBytes) return fail(Errc::too_large, "block of more than 2 MiB");
  if (Status status = check_block(cid, block); !status) return status;
  const std::string key(as_text(block_key(cid)));
  std::lock_guard lock(cache_.mutex_);
  const bool counts = !cache_.is_kept(key);
  if (Status status = cache_.insert(key, std::make_shared<const Bytes>(to_bytes(block))); !status)
    return fail(status.error().within("block cache"));
  if (keys_.insert(key) && counts) bytes_ += block.size();
  return {};
}

// With mutex_ held, all that follow.

uint64_t BlockCache::size_of(const std::vector<std::string>& keys) {
  uint64_t sum = 0;
  for (const std::string& key : keys) {
    auto select = database_->prepare("SELECT size FROM blocks WHERE key = ?");
    if (select.bind(as_bytes(key)).step()) sum += static_cast<uint64_t>(select.integer(0));
  }
  return sum;
}

void BlockCache::find_kept() {
  if (std::exchange(kept_found_, true)) return;
  kept_keys_.clear();
  apart_bytes_ = 0;
  for (const Cid& root : kept_.apart) apart_bytes_ += size_of(protect(root, kept_keys_));
  for (const Cid& root : kept_.yielding) {
    const std::vector<std::string> added = protect(root, kept_keys_);
    const uint64_t bytes = size_of(added);
    if (apart_bytes_ + bytes > kept_.most) {
      for (const std::string& key : added) kept_keys_.erase(key);
      break;
    }
    apart_bytes_ += bytes;
  }
  for (const Cid& root : kept_.held) protect(root, kept_keys_);
}

// The bytes that count against the bound.
uint64_t BlockCache::counted() {
  uint64_t beside = apart_bytes_;
  for (const Publishing* const one : publishing_) beside += one->bytes_;
  return stats_.bytes - std::min(stats_.bytes, beside);
}

bool BlockCache::is_kept(const std::string& key) const {
  return kept_keys_.count(key) != 0 ||
         std::any_of(publishing_.begin(), publishing_.end(),
                     [&](const Publishing* one) { return one->keys_.contains(key); });
}

}  // namespace ipnscast::sync
