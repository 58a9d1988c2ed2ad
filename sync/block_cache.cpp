#include "sync/block_cache.h"

#include "nostr/base/clock.h"
#include "nostr/base/log.h"
#include "sync/ipfs/dag_links.h"
#include "sync/ipfs/dag_walk.h"

namespace ipnscast::sync {
namespace {

// A block's time of use is written again only when it is older than this: reading should not mean
// writing.
constexpr int64_t kUseGrain = 600;

const store::Schema kSchema{
    "blocks",
    {{1,
      "CREATE TABLE blocks(key BLOB NOT NULL UNIQUE, size INTEGER NOT NULL,"
      " used INTEGER NOT NULL, bytes BLOB NOT NULL);"
      "CREATE INDEX blocks_used ON blocks(used);"
      "CREATE TABLE versions(number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL,"
      " root BLOB NOT NULL);"
      "CREATE INDEX versions_name ON versions(name, number);"}}};

int64_t now_seconds() { return system_now().seconds().value; }

std::string key_text(const Cid& cid) { return std::string(as_text(block_key(cid))); }

}  // namespace

Result<std::unique_ptr<BlockCache>> BlockCache::open(const std::filesystem::path& directory,
                                                     BlockCacheOptions options) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return fail(Errc::io, directory.string() + ": " + error.message());
  auto database =
      store::Database::open(directory / "blocks.sqlite", {kSchema}, store::Durability::normal);
  if (!database) return fail(database.error().within("block cache"));
  std::unique_ptr<BlockCache> cache(new BlockCache(std::move(*database), options));
  auto sum = cache->database_->prepare("SELECT coalesce(sum(size), 0) FROM blocks");
  if (!sum.step()) return fail(Errc::io, "block cache: cannot be read");
  cache->stats_.bytes = static_cast<uint64_t>(sum.integer(0));
  return cache;
}

Result<std::optional<Bytes>> BlockCache::get(const Cid& cid) {
  std::lock_guard lock(mutex_);
  auto block = read(cid);
  if (block) ++(*block ? stats_.hits : stats_.misses);
  return block;
}

// With mutex_ held.
Result<std::optional<Bytes>> BlockCache::read(const Cid& cid) {
  const Bytes key = block_key(cid);
  Bytes bytes;
  int64_t used = 0;
  {
    auto select = database_->prepare("SELECT bytes, used FROM blocks WHERE key = ?");
    select.bind(ByteView(key));
    if (!select.step()) {
      if (!select.status()) return fail(select.status().error());
      return std::optional<Bytes>();
    }
    bytes = select.blob(0);
    used = select.integer(1);
  }
  if (!check_block(cid, bytes)) {
    log_warning("cache", "a block was damaged on disk and is dropped: " + cid.to_string());
    (void)database_->prepare("DELETE FROM blocks WHERE key = ?").bind(ByteView(key)).run();
    stats_.bytes -= std::min<uint64_t>(stats_.bytes, bytes.size());
    return std::optional<Bytes>();
  }
  if (const int64_t now = now_seconds(); used + kUseGrain < now) {
    (void)database_->prepare("UPDATE blocks SET used = ? WHERE key = ?")
        .bind(now)
        .bind(ByteView(key))
        .run();
  }
  return std::optional<Bytes>(std::move(bytes));
}

bool BlockCache::has(const Cid& cid) {
  std::lock_guard lock(mutex_);
  auto select = database_->prepare("SELECT 1 FROM blocks WHERE key = ?");
  return select.bind(ByteView(block_key(cid))).step();
}

Status BlockCache::put(const Cid& cid, ByteView block) {
  if (block.size() > kMaxBlockBytes) return fail(Errc::too_large, "block of more than 2 MiB");
  if (Status status = check_block(cid, block); !status) return status;
  std::lock_guard lock(mutex_);
  auto inserted =
      database_->prepare("INSERT OR IGNORE INTO blocks(key, size, used, bytes) VALUES(?, ?, ?, ?)")
          .bind(ByteView(block_key(cid)))
          .bind(static_cast<int64_t>(block.size()))
          .bind(now_seconds())
          .bind(block)
          .run();
  if (!inserted) return fail(inserted.error().within("block cache"));
  if (*inserted > 0) stats_.bytes += block.size();
  return stats_.bytes > options_.max_bytes ? evict() : Status{};
}

Status BlockCache::keep(std::string_view name, const Cid& root) {
  std::lock_guard lock(mutex_);
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
  if (status) return database_->commit();
  database_->rollback();
  return status;
}

Status BlockCache::forget(std::string_view name) {
  std::lock_guard lock(mutex_);
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

// With mutex_ held. Down to nine tenths, so that it is not done again for the next block. Old
// versions are given up before the bound is; what is current or held stays, even beyond it.
Status BlockCache::evict() {
  const uint64_t target = options_.max_bytes - options_.max_bytes / 10;
  for (size_t versions = options_.versions + 1; stats_.bytes > target && versions > 0;
       versions /= 2) {
    const Keys keys = protected_keys(versions);
    std::vector<std::pair<int64_t, int64_t>> doomed;  // row, size
    uint64_t left = stats_.bytes;
    {
      auto select = database_->prepare("SELECT rowid, key, size FROM blocks ORDER BY used, rowid");
      while (left > target && select.step()) {
        if (keys.count(std::string(as_text(select.blob(1)))) != 0) continue;
        doomed.emplace_back(select.integer(0), select.integer(2));
        left -= std::min(left, static_cast<uint64_t>(select.integer(2)));
      }
      if (!select.status()) return select.status();
    }
    if (Status status = database_->begin(); !status) return status;
    for (const auto& [row, size] : doomed) {
      if (!database_->prepare("DELETE FROM blocks WHERE rowid = ?").bind(row).run()) {
        database_->rollback();
        return fail(Errc::io, "block cache: cannot evict");
      }
    }
    if (Status status = database_->commit(); !status) return status;
    stats_.bytes = left;
    stats_.evicted += doomed.size();
    if (stats_.bytes <= options_.max_bytes) break;
  }
  return {};
}

// With mutex_ held.
BlockCache::Keys BlockCache::protected_keys(size_t versions) {
  std::vector<Cid> roots;
  {
    auto select = database_->prepare(
        "SELECT root FROM (SELECT root, row_number() OVER (PARTITION BY name ORDER BY number DESC) "
        "AS place"
        " FROM versions) WHERE place <= ?");
    select.bind(static_cast<int64_t>(versions));
    while (select.step()) {
      if (auto cid = Cid::decode(select.blob(0))) roots.push_back(std::move(*cid));
    }
  }
  Keys keys;
  for (const Cid& root : roots) protect(root, keys);
  for (const auto& [root, count] : holds_) protect(root, keys);
  return keys;
}

// The keys of what is here of the DAG under `root`. With mutex_ held.
void BlockCache::protect(const Cid& root, Keys& keys) {
  std::vector<Cid> open{root};
  while (!open.empty()) {
    const Cid cid = std::move(open.back());
    open.pop_back();
    if (!keys.insert(key_text(cid)).second || !may_have_links(cid)) continue;
    const auto block = read(cid);
    if (!block || !*block) continue;
    if (auto links = block_links(cid, **block))
      open.insert(open.end(), links->begin(), links->end());
  }
}

BlockCache::Hold::Hold(BlockCache& cache, const Cid& root) : cache_(cache), root_(root) {
  std::lock_guard lock(cache_.mutex_);
  ++cache_.holds_[root_];
}

BlockCache::Hold::~Hold() {
  std::lock_guard lock(cache_.mutex_);
  const auto it = cache_.holds_.find(root_);
  if (--it->second == 0) cache_.holds_.erase(it);
}

}  // namespace ipnscast::sync
