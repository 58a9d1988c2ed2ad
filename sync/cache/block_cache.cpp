#include "ipnscast/sync/cache/block_cache.h"

#include <algorithm>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/nostr/base/file/folder.h"
#include "ipnscast/nostr/base/log.h"
#include "ipnscast/sync/ipfs/unixfs/dag_walk.h"

namespace ipnscast::sync {
namespace {

// A block's time of use is written again only when it is older than this: reading should not mean
// writing.
constexpr int64_t kUseGrain = 600;
// From here on a file costs less than a chain of pages that goes through the log. The row then has
// no bytes.
constexpr size_t kLargeBlock = 16 * 1024;
constexpr size_t kPendingBlocks = 1000;
constexpr size_t kPendingBytes = 4 * 1024 * 1024;

const store::Schema kSchema{
    "blocks",
    {{1,
      "CREATE TABLE blocks(key BLOB NOT NULL UNIQUE, size INTEGER NOT NULL,"
      " used INTEGER NOT NULL, bytes BLOB NOT NULL);"
      "CREATE INDEX blocks_used ON blocks(used);"
      "CREATE TABLE versions(number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL,"
      " root BLOB NOT NULL);"
      "CREATE INDEX versions_name ON versions(name, number);"},
     // What is counted when the cache is opened stands in the index.
     {2, "DROP INDEX blocks_used; CREATE INDEX blocks_used ON blocks(used, size);"},
     {3, "CREATE TABLE at_rest(id INTEGER PRIMARY KEY CHECK(id = 1), proof BLOB NOT NULL);"}}};

int64_t now_seconds() { return system_now().seconds().value; }

std::string key_text(const Cid& cid) { return std::string(as_text(block_key(cid))); }

}  // namespace

Result<std::unique_ptr<BlockCache>> BlockCache::open(const std::filesystem::path& directory,
                                                     BlockCacheOptions options) {
  if (const auto own = Folder::open_own(directory); !own) return fail(own.error());
  auto database =
      store::Database::open(directory / "blocks.sqlite", {kSchema}, store::Durability::normal);
  if (!database) return fail(database.error().within("block cache"));
  std::unique_ptr<BlockCache> cache(new BlockCache(std::move(*database), directory, options));
  Status loaded = cache->load();
  if (!loaded) return fail(loaded.error().within("block cache"));
  return cache;
}

Status BlockCache::load() {
  std::unordered_set<int64_t> rows;
  {
    auto large = database_->prepare("SELECT rowid FROM blocks WHERE size >= ?");
    large.bind(static_cast<int64_t>(kLargeBlock));
    while (large.step()) rows.insert(large.integer(0));
    if (!large.status()) return large.status();
  }
  if (Status status = files_.open(rows); !status) return status;
  if (Status status = unlock(); !status) return status;
  return count_bytes();
}

Status BlockCache::count_bytes() {
  auto sum = database_->prepare("SELECT coalesce(sum(size), 0) FROM blocks");
  if (!sum.step()) return fail(Errc::io, "cannot be read");
  stats_.bytes = static_cast<uint64_t>(sum.integer(0));
  return {};
}

Result<std::optional<Bytes>> BlockCache::get(const Cid& cid) {
  const Instant start = std::chrono::steady_clock::now();
  std::unique_lock lock(mutex_);
  auto block = read(cid);
  if (block) ++(*block ? stats_.hits : stats_.misses);
  lock.unlock();
  if (options_.meter != nullptr && (!block || *block)) {
    options_.meter->note(Operation::block, block ? Status() : fail(block.error()),
                         std::chrono::duration_cast<std::chrono::microseconds>(
                             std::chrono::steady_clock::now() - start));
  }
  return block;
}

Result<std::optional<Bytes>> BlockCache::read(const Cid& cid) {
  const std::string key = key_text(cid);
  if (RecentBlocks::Block* block = recent_.find(key)) {
    ++stats_.memory_hits;
    touch(as_bytes(key), *block);
    return std::optional<Bytes>(*block->bytes);
  }
  Bytes bytes;
  int64_t used = 0;
  int64_t row = 0;
  size_t size = 0;
  {
    auto select = database_->prepare("SELECT bytes, used, rowid, size FROM blocks WHERE key = ?");
    select.bind(as_bytes(key));
    if (!select.step()) {
      if (!select.status()) return fail(select.status().error());
      return std::optional<Bytes>();
    }
    bytes = select.blob(0);
    used = select.integer(1);
    row = select.integer(2);
    size = static_cast<size_t>(std::clamp<int64_t>(select.integer(3), 0, kMaxBlockBytes));
  }
  if (bytes.empty() && size > 0) bytes = files_.read(row, stored_size(size)).value_or(Bytes());
  bytes = plain_form(key, std::move(bytes)).value_or(Bytes());
  if (!check_block(cid, bytes)) {
    log_warning("cache", "a block was damaged on disk and is dropped: " + cid.to_string());
    drop(key, row, size);
    return std::optional<Bytes>();
  }
  RecentBlocks::Block found{std::make_shared<const Bytes>(bytes), used};
  touch(as_bytes(key), found);
  recent_.put(key, std::move(found.bytes), found.used);
  return std::optional<Bytes>(std::move(bytes));
}

void BlockCache::drop(const std::string& key, int64_t row, size_t size) {
  (void)database_->prepare("DELETE FROM blocks WHERE key = ?").bind(as_bytes(key)).run();
  files_.remove(row);
  stats_.bytes -= std::min<uint64_t>(stats_.bytes, size);
}

void BlockCache::touch(ByteView key, RecentBlocks::Block& block) {
  const int64_t now = now_seconds();
  if (block.used + kUseGrain >= now) return;
  block.used = now;
  (void)database_->prepare("UPDATE blocks SET used = ? WHERE key = ?").bind(now).bind(key).run();
}

bool BlockCache::has(const Cid& cid) {
  std::lock_guard lock(mutex_);
  auto select = database_->prepare("SELECT 1 FROM blocks WHERE key = ?");
  return select.bind(ByteView(block_key(cid))).step();
}

Status BlockCache::put(const Cid& cid, ByteView block) {
  return put(cid, std::make_shared<const Bytes>(to_bytes(block)));
}

Status BlockCache::put(const Cid& cid, SharedBlock block) {
  if (block->size() > kMaxBlockBytes) return fail(Errc::too_large, "block of more than 2 MiB");
  if (Status status = check_block(cid, *block); !status) return status;
  std::lock_guard lock(mutex_);
  Status status = insert(key_text(cid), std::move(block));
  if (!status) return fail(status.error().within("block cache"));
  return shrink();
}

Status BlockCache::insert(const std::string& key, SharedBlock block) {
  if (batches_ > 0 && !pending_.open) {
    if (Status status = database_->begin(); !status) return status;
    pending_ = {true};
  }
  const int64_t now = now_seconds();
  if (Status status = insert_row(key, *block, now); !status) {
    undo();
    return status;
  }
  const size_t size = block->size();
  recent_.put(key, std::move(block), now);
  if (!pending_.open) return {};
  pending_.blocks += 1;
  pending_.bytes += size;
  return pending_.blocks >= kPendingBlocks || pending_.bytes >= kPendingBytes ? settle() : Status{};
}

// A large block's row comes first, as its number is the name of the file.
Status BlockCache::insert_row(const std::string& key, ByteView block, int64_t now) {
  const bool large = block.size() >= kLargeBlock;
  const Bytes sealed = options_.at_rest ? stored_form(key, block) : Bytes();
  const ByteView stored = options_.at_rest ? ByteView(sealed) : block;
  int64_t row = 0;
  {
    auto insert = database_->prepare(
        "INSERT OR IGNORE INTO blocks(key, size, used, bytes) VALUES(?, ?, ?, ?) RETURNING rowid");
    insert.bind(as_bytes(key)).bind(static_cast<int64_t>(block.size())).bind(now);
    if (!insert.bind(large ? ByteView() : stored).step()) return insert.status();
    row = insert.integer(0);
    if (insert.step() || !insert.status()) return insert.status();
  }
  stats_.bytes += block.size();
  if (!large) return {};
  Status written = files_.write(row, stored);
  if (!written) drop(key, row, block.size());
  return written;
}

Status BlockCache::settle() {
  if (!pending_.open) return {};
  pending_ = {};
  Status committed = database_->commit();
  if (!committed) {
    pending_.open = true;
    undo();
  }
  return committed;
}

// What was pending is lost, and has to be said to all who put it.
void BlockCache::undo() {
  if (!pending_.open) return;
  pending_ = {};
  database_->rollback();
  ++losses_;
  (void)count_bytes();
}

Status BlockCache::keep(std::string_view name, const Cid& root) {
  std::lock_guard lock(mutex_);
  if (Status status = settle(); !status) return status;
  if (Status status = database_->begin(); !status) return status;
  const Bytes bytes = root.encode();
  const auto run = [&]() -> Status {
    // The same root again becomes the newest one; A, B, A counts as two versions.
    auto removed = database_->prepare("DELETE FROM versions WHERE name = ? AND root = ?")
                       .bind(name)
                       .bind(ByteView(bytes))
                       .run();
    if (!removed) return fail(removed.error());
    auto added = database_->prepare("INSERT INTO versions(name, root) VALUES(?, ?)")
                     .bind(name)
                     .bind(ByteView(bytes))
                     .run();
    if (!added) return fail(added.error());
    auto trimmed =
        database_
            ->prepare(
                "DELETE FROM versions WHERE name = ?1 AND number NOT IN"
                " (SELECT number FROM versions WHERE name = ?1 ORDER BY number DESC LIMIT ?2)")
            .bind(name)
            .bind(static_cast<int64_t>(options_.versions) + 1)
            .run();
    if (!trimmed) return fail(trimmed.error());
    return {};
  };
  Status status = run();
  full_below_ = 0;
  if (status) return database_->commit();
  database_->rollback();
  return status;
}

Status BlockCache::forget(std::string_view name) {
  std::lock_guard lock(mutex_);
  full_below_ = 0;
  auto removed = database_->prepare("DELETE FROM versions WHERE name = ?").bind(name).run();
  return removed ? Status{} : fail(removed.error());
}

std::vector<Cid> BlockCache::versions(std::string_view name) {
  std::lock_guard lock(mutex_);
  std::vector<Cid> out;
  auto select = database_->prepare("SELECT root FROM versions WHERE name = ? ORDER BY number DESC");
  select.bind(name);
  while (select.step()) {
    if (auto cid = Cid::decode(select.blob(0))) out.push_back(std::move(*cid));
  }
  return out;
}

BlockCache::Stats BlockCache::stats() {
  std::lock_guard lock(mutex_);
  return stats_;
}

BlockCache::Hold::Hold(BlockCache& cache, const Cid& root) : cache_(cache), root_(root) {
  std::lock_guard lock(cache_.mutex_);
  ++cache_.holds_[root_];
}

BlockCache::Hold::~Hold() {
  std::lock_guard lock(cache_.mutex_);
  const auto it = cache_.holds_.find(root_);
  if (--it->second > 0) return;
  cache_.holds_.erase(it);
  cache_.let_go();
}

BlockCache::Batch::Batch(BlockCache& cache) : cache_(cache) {
  std::lock_guard lock(cache_.mutex_);
  ++cache_.batches_;
  losses_ = cache_.losses_;
}

BlockCache::Batch::~Batch() {
  std::lock_guard lock(cache_.mutex_);
  --cache_.batches_;
  if (Status status = cache_.settle(); !status) log_warning("cache", status.error().message);
}

Status BlockCache::Batch::commit() {
  std::lock_guard lock(cache_.mutex_);
  Status status = cache_.settle();
  if (status && losses_ != cache_.losses_)
    status = fail(Errc::io, "block cache: blocks could not be written");
  return status;
}

}  // namespace ipnscast::sync
