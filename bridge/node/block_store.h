#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "nostr/base/store/database.h"
#include "sync/ipfs/block_source.h"

namespace ipnscast::bridge {

struct Block {
  sync::Cid cid;
  Bytes bytes;
};

// The blocks and pins of the embedded node in a SQLite file. Blocks are known by their hash, so
// that both CID versions find them; only those that match their CID get in. Thread-safe.
class BlockStore final : public sync::BlockSource, public sync::BlockSink {
 public:
  // ":memory:" works for tests. `max_bytes` bounds the sum of the blocks' sizes.
  static Result<std::unique_ptr<BlockStore>> open(const std::filesystem::path& file,
                                                  uint64_t max_bytes);

  Result<std::optional<Bytes>> get(const sync::Cid& cid) override;
  Result<bool> has(const sync::Cid& cid);
  // Errc::signature or Errc::unsupported for a block that cannot be checked or is another one;
  // Errc::too_large when the block or the store would be; Errc::io. Committed on return. Blocks
  // that are there already cost nothing.
  Status put(const sync::Cid& cid, ByteView block) override;
  // All of them in one transaction, or none.
  Status put_all(std::span<const Block> blocks);

  Status pin(const sync::Cid& root);
  // False when it was not pinned.
  Result<bool> unpin(const sync::Cid& root);
  Result<bool> pinned(const sync::Cid& root);
  Result<std::vector<sync::Cid>> pins();

  // The sum of the blocks' sizes.
  Result<uint64_t> stored_bytes();

 private:
  BlockStore(std::unique_ptr<store::Database> db, uint64_t max_bytes)
      : max_bytes_(max_bytes), db_(std::move(db)) {}
  Result<uint64_t> stored_bytes_locked();
  Status put_locked(std::span<const Block> blocks);

  const uint64_t max_bytes_;

  std::mutex mutex_;
  std::unique_ptr<store::Database> db_;  // guarded by mutex_
};

}  // namespace ipnscast::bridge
