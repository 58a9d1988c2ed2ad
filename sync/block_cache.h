#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_set>

#include "nostr/base/store/database.h"
#include "sync/ipfs/block_source.h"

namespace ipnscast::sync {

struct BlockCacheOptions {
  uint64_t max_bytes = uint64_t{1} << 30;
  size_t versions = 5;  // kept of each name besides the current one, as far as they fit
};

// Verified blocks on disk, within a bound. The least recently used go first, but never those of a
// DAG that is held or is the current one of a name. Thread-safe; one process at a time.
class BlockCache : public BlockSource, public BlockSink {
 public:
  // Opens or creates `directory`/blocks.sqlite. Errc::io.
  static Result<std::unique_ptr<BlockCache>> open(const std::filesystem::path& directory,
                                                  BlockCacheOptions options = {});

  // Checked on the way out as well: a block that the disk damaged is dropped and counts as absent.
  Result<std::optional<Bytes>> get(const Cid& cid) override;
  bool has(const Cid& cid);
  // Checks the bytes against the CID: Errc::signature when they lie, Errc::too_large,
  // Errc::unsupported, Errc::io.
  Status put(const Cid& cid, ByteView block) override;

  // `root` is now the current version of `name` (any text that names a thing that changes).
  Status keep(std::string_view name, const Cid& root);
  // Nothing of this name is kept any longer.
  Status forget(std::string_view name);
  // The roots kept of a name, newest first.
  std::vector<Cid> versions(std::string_view name);

  // Keeps the DAG under `root` from being evicted while it is written or read.
  class Hold {
   public:
    Hold(BlockCache& cache, const Cid& root);
    ~Hold();
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

   private:
    BlockCache& cache_;
    const Cid root_;
  };

  struct Stats {
    uint64_t bytes = 0;
    uint64_t hits = 0;
    uint64_t misses = 0;
    uint64_t evicted = 0;  // blocks
  };
  Stats stats();

 private:
  using Keys = std::unordered_set<std::string>;
  BlockCache(std::unique_ptr<store::Database> database, BlockCacheOptions options)
      : options_(options), database_(std::move(database)) {}
  Result<std::optional<Bytes>> read(const Cid& cid);
  Status evict();
  Keys protected_keys(size_t versions);
  void protect(const Cid& root, Keys& keys);

  // constant after construction
  const BlockCacheOptions options_;

  std::mutex mutex_;
  // guarded by mutex_
  std::unique_ptr<store::Database> database_;
  std::map<Cid, int> holds_;
  Stats stats_;
};

}  // namespace ipnscast::sync
