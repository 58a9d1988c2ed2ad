#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_set>

#include "ipnscast/nostr/base/store/database.h"
#include "ipnscast/sync/cache/at_rest.h"
#include "ipnscast/sync/cache/block_files.h"
#include "ipnscast/sync/cache/recent_blocks.h"
#include "ipnscast/sync/ipfs/ipld/block_source.h"
#include "ipnscast/sync/ipfs/unixfs/fingerprint_set.h"
#include "ipnscast/sync/metrics/meter.h"

namespace ipnscast::sync {

struct BlockCacheOptions {
  uint64_t max_bytes = uint64_t{1} << 30;
  size_t versions = 5;  // kept of each name besides the current one, as far as they fit
  size_t memory_bytes = size_t{16} << 20;  // of these, held in memory as well
  Meter* meter = nullptr;                  // may be null
  // Encrypts what is on disk; null: it lies there as it is. A cache that was not encrypted is, once
  // this is set.
  std::shared_ptr<const AtRest> at_rest{};
};

// Verified blocks on disk, within a bound: small ones in a database, large ones in files beside it.
// The least recently used go first, but never those of a DAG that is held, kept, being published,
// or the current one of a name. Thread-safe; one process at a time.
class BlockCache : public BlockSource, public BlockSink {
 public:
  // Opens or creates `directory`/blocks.sqlite and `directory`/large. Errc::io; Errc::refused when
  // its blocks are encrypted and `at_rest` is not what they were encrypted with.
  static Result<std::unique_ptr<BlockCache>> open(const std::filesystem::path& directory,
                                                  BlockCacheOptions options = {});

  // Checked when it comes from the disk: a block that was damaged there is dropped and counts as
  // absent.
  Result<std::optional<Bytes>> get(const Cid& cid) override;
  bool verifies() const override { return true; }
  bool has(const Cid& cid);
  // Checks the bytes against the CID: Errc::signature when they lie, Errc::too_large,
  // Errc::unsupported, Errc::io.
  Status put(const Cid& cid, ByteView block) override;
  Status put(const Cid& cid, SharedBlock block);

  // `root` is now the current version of `name` (any text that names a thing that changes).
  Status keep(std::string_view name, const Cid& root);
  // Nothing of this name is kept any longer.
  Status forget(std::string_view name);
  // The roots kept of a name, newest first.
  std::vector<Cid> versions(std::string_view name);

  // DAGs that are not evicted, until the next set_kept(). Not stored.
  struct Kept {
    std::vector<Cid> held{};
    std::vector<Cid> apart{};     // does not count against max_bytes either
    std::vector<Cid> yielding{};  // as `apart`, from the first on, while all of that has at most
    uint64_t most = 0;            // so many bytes
    bool operator==(const Kept&) const = default;
  };
  void set_kept(Kept kept);
  // How many bytes are here of the DAGs under these roots. A block that several have counts for the
  // first one.
  std::vector<uint64_t> sizes(const std::vector<Cid>& roots);

  // Content on its way into a publish. While it lives, blocks that were put through it are not
  // evicted and do not count against max_bytes.
  class Publishing : public BlockSink {
   public:
    explicit Publishing(BlockCache& cache);
    ~Publishing() override;
    Publishing(const Publishing&) = delete;
    Publishing& operator=(const Publishing&) = delete;
    Status put(const Cid& cid, ByteView block) override;

   private:
    friend class BlockCache;
    BlockCache& cache_;
    // guarded by cache_.mutex_
    FingerprintSet keys_;
    uint64_t bytes_ = 0;
  };

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

  // While one lives, blocks are committed many at a time: a process that is killed loses the last
  // of them, at most 4 MiB and 1,000 blocks.
  class Batch {
   public:
    explicit Batch(BlockCache& cache);
    ~Batch();  // commits
    Batch(const Batch&) = delete;
    Batch& operator=(const Batch&) = delete;
    // All that was put since the beginning is kept. Errc::io when some of it was lost.
    Status commit();

   private:
    BlockCache& cache_;
    uint64_t losses_;
  };

  struct Stats {
    uint64_t bytes = 0;
    uint64_t hits = 0;
    uint64_t memory_hits = 0;  // of these
    uint64_t misses = 0;
    uint64_t evicted = 0;  // blocks
  };
  Stats stats();

 private:
  using Keys = std::unordered_set<std::string>;
  struct Pending {  // what is put and not committed
    bool open = false;
    size_t blocks = 0;
    size_t bytes = 0;
  };
  BlockCache(std::unique_ptr<store::Database> database, const std::filesystem::path& directory,
             BlockCacheOptions options)
      : options_(options),
        database_(std::move(database)),
        files_(directory / "large"),
        recent_(options.memory_bytes) {}
  Status load();
  // block_at_rest.cpp
  Status unlock();
  Status encrypt_all();
  Status overwrite_free_pages();
  Status encrypt_one(int64_t row, const std::string& key, size_t size);
  Bytes stored_form(const std::string& key, ByteView block) const;
  std::optional<Bytes> plain_form(const std::string& key, Bytes stored) const;
  size_t stored_size(size_t size) const;
  Status count_bytes();
  // With mutex_ held, all of them.
  Result<std::optional<Bytes>> read(const Cid& cid);
  void drop(const std::string& key, int64_t row, size_t size);
  void touch(ByteView key, RecentBlocks::Block& block);
  Status insert(const std::string& key, SharedBlock block);
  Status insert_row(const std::string& key, ByteView block, int64_t now);
  Status settle();
  void undo();
  // block_eviction.cpp
  Status shrink();
  Status evict();
  void let_go();
  Status evict_below(uint64_t target, const Keys& keys);
  Keys protected_keys(size_t versions);
  std::vector<std::string> protect(const Cid& root, Keys& keys);
  // block_keeping.cpp
  uint64_t size_of(const std::vector<std::string>& keys);
  void find_kept();
  uint64_t counted();
  bool is_kept(const std::string& key) const;

  // constant after construction
  const BlockCacheOptions options_;

  std::mutex mutex_;
  // guarded by mutex_
  std::unique_ptr<store::Database> database_;
  BlockFiles files_;
  RecentBlocks recent_;
  int batches_ = 0;
  Pending pending_;
  uint64_t losses_ = 0;  // how often what was pending was lost
  std::map<Cid, int> holds_;
  Kept kept_;
  bool kept_found_ = true;  // the two below are those of kept_
  Keys kept_keys_;          // of what is kept, apart or not
  uint64_t apart_bytes_ = 0;
  // What is held is more than the bound: nothing is looked for before so many bytes count, or
  // something is let go.
  uint64_t full_below_ = 0;
  std::vector<Publishing*> publishing_;
  Stats stats_;
};

}  // namespace ipnscast::sync
