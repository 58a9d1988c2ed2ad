#pragma once

#include <condition_variable>
#include <mutex>
#include <string>

#include "ipnscast/sync/cache/block_cache.h"

namespace ipnscast::sync {

// The cache, seen by one reader while a fetch fills it: get() waits for a block that is still to
// come. The reader's thread calls get(), the fetch's the rest.
class ArrivingBlocks : public BlockSource {
 public:
  explicit ArrivingBlocks(BlockCache& cache) : cache_(cache) {}

  // Nothing only after end().
  Result<std::optional<Bytes>> get(const Cid& cid) override;
  bool verifies() const override { return cache_.verifies(); }

  // The block of this key (its multihash) is in the cache now.
  void arrived(std::string_view key);
  // No more will come. Idempotent.
  void end();

 private:
  BlockCache& cache_;

  std::mutex mutex_;
  std::condition_variable changed_;
  // guarded by mutex_
  std::string awaited_;  // empty: nothing
  bool ended_ = false;
};

}  // namespace ipnscast::sync
