// How the cache keeps within its bound. All with the cache's lock held.
#include <algorithm>

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/sync/cache/block_cache.h"
#include "ipnscast/sync/ipfs/ipld/dag_links.h"
#include "ipnscast/sync/ipfs/unixfs/dag_walk.h"

namespace ipnscast::sync {
namespace {

struct Doomed {
  int64_t row;
  std::string key;
  int64_t size;
};

}  // namespace

Status BlockCache::shrink() {
  if (stats_.bytes <= options_.max_bytes) return {};
  find_kept();
  const uint64_t bytes = counted();
  return bytes > options_.max_bytes && bytes >= full_below_ ? evict() : Status{};
}

// Something that was held is not any more.
void BlockCache::let_go() {
  full_below_ = 0;
  if (Status status = shrink(); !status) log_warning("cache", status.error().message);
}

// Down to nine tenths, so that it is not done again for the next block. Old versions are given up
// before the bound is; what is current, held or kept stays, even beyond it.
Status BlockCache::evict() {
  if (Status status = settle(); !status) return status;
  kept_found_ = false;  // blocks that it lacked may have come
  find_kept();
  const uint64_t target = options_.max_bytes - options_.max_bytes / 10;
  for (size_t versions = options_.versions + 1; counted() > target && versions > 0; versions /= 2) {
    const uint64_t beside = stats_.bytes - counted();
    if (Status status = evict_below(target + beside, protected_keys(versions)); !status)
      return status;
    if (counted() <= options_.max_bytes) break;
  }
  // All of it is walked for this, so not for each block of content that is larger than the bound.
  const uint64_t bytes = counted();
  full_below_ = bytes > options_.max_bytes ? bytes + options_.max_bytes / 10 : 0;
  return {};
}

Status BlockCache::evict_below(uint64_t target, const Keys& keys) {
  std::vector<Doomed> doomed;
  uint64_t left = stats_.bytes;
  {
    auto select = database_->prepare("SELECT rowid, key, size FROM blocks ORDER BY used, rowid");
    while (left > target && select.step()) {
      std::string key(as_text(select.blob(1)));
      if (keys.count(key) != 0 || is_kept(key)) continue;
      doomed.push_back({select.integer(0), std::move(key), select.integer(2)});
      left -= std::min(left, static_cast<uint64_t>(select.integer(2)));
    }
    if (!select.status()) return select.status();
  }
  if (Status status = database_->begin(); !status) return status;
  for (const Doomed& block : doomed) {
    if (!database_->prepare("DELETE FROM blocks WHERE rowid = ?").bind(block.row).run()) {
      database_->rollback();
      return fail(Errc::io, "block cache: cannot evict");
    }
  }
  if (Status status = database_->commit(); !status) return status;
  for (const Doomed& block : doomed) {
    files_.remove(block.row);
    recent_.erase(block.key);
  }
  stats_.bytes = left;
  stats_.evicted += doomed.size();
  return {};
}

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

// Adds the keys of what is here of the DAG under `root`, and perhaps of blocks that are not. Those
// that were not among them before.
std::vector<std::string> BlockCache::protect(const Cid& root, Keys& keys) {
  std::vector<std::string> added;
  std::vector<Cid> open;
  const auto note = [&](const Cid& cid) {
    std::string key(as_text(block_key(cid)));
    if (!keys.insert(key).second) return;
    added.push_back(std::move(key));
    if (may_have_links(cid)) open.push_back(cid);
  };
  note(root);
  while (!open.empty()) {
    const Cid cid = std::move(open.back());
    open.pop_back();
    const auto block = read(cid);
    if (!block || !*block) continue;
    if (const auto links = block_links(cid, **block))
      std::for_each(links->begin(), links->end(), note);
  }
  return added;
}

}  // namespace ipnscast::sync
