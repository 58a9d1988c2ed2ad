#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_set>
#include <vector>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/nostr/base/store/database.h"
#include "ipnscast/sync/ipfs/ipld/block_source.h"

namespace ipnscast::bridge {

struct Block {
  sync::Cid cid;
  Bytes bytes;
};

// The blocks and pins of the embedded node in a SQLite file. Blocks are known by their hash, so
// that both CID versions find them; only those that match their CID get in. When they take all the
// room there is, those that no pin holds give way, unless they came lately. Thread-safe.
class BlockStore final : public sync::BlockSource, public sync::BlockSink {
 public:
  // ":memory:" works for tests. `max_bytes` bounds the sum of the blocks' sizes. A block that came
  // within `unpinned` is left alone: its pin may be about to come.
  static Result<std::unique_ptr<BlockStore>> open(const std::filesystem::path& file,
                                                  uint64_t max_bytes,
                                                  Seconds unpinned = Seconds(3600));

  Result<std::optional<Bytes>> get(const sync::Cid& cid) override;
  Result<bool> has(const sync::Cid& cid);
  // Errc::signature or Errc::unsupported for a block that cannot be checked or is another one;
  // Errc::too_large when the block is, or the store would be with all that is pinned or new;
  // Errc::io. Committed on return. Blocks that are there already cost nothing.
  Status put(const sync::Cid& cid, ByteView block) override;
  // All of them in one transaction, or none.
  Status put_all(std::span<const Block> blocks);

  // Errc::not_found naming a block that is missing below the root; Errc::parse, Errc::io.
  Status pin(const sync::Cid& root);
  // What became of each root. A block below several of them is looked at once.
  std::vector<Status> pin_all(std::span<const sync::Cid> roots);
  // What is under way and takes long ends with Errc::closed, and so does what comes later.
  void stop() { stopping_ = true; }
  // False when it was not pinned.
  Result<bool> unpin(const sync::Cid& root);
  Result<bool> pinned(const sync::Cid& root);
  Result<std::vector<sync::Cid>> pins();

  // The sum of the blocks' sizes.
  Result<uint64_t> stored_bytes();

 private:
  using Keys = std::unordered_set<std::string>;
  BlockStore(std::unique_ptr<store::Database> db, uint64_t max_bytes, Seconds unpinned)
      : max_bytes_(max_bytes), unpinned_(unpinned), db_(std::move(db)) {}
  Result<uint64_t> stored_bytes_locked();
  Status write_pins(std::span<const sync::Cid> roots);
  Status put_checked(std::span<const Block> blocks, bool& full);
  Status put_locked(std::span<const Block> blocks, bool& full);
  // block_garbage.cpp
  Result<bool> make_room();
  Result<Keys> held_by_pins();
  Result<uint64_t> remove_all_but(const Keys& held, uint64_t pins);

  const uint64_t max_bytes_;
  const Seconds unpinned_;

  std::atomic<bool> stopping_ = false;

  std::mutex mutex_;
  // guarded by mutex_
  std::unique_ptr<store::Database> db_;
  uint64_t pins_added_ = 0;
  uint64_t removals_ = 0;

  std::mutex garbage_mutex_;  // taken before mutex_
  std::optional<Instant> looked_for_garbage_;
};

}  // namespace ipnscast::bridge
