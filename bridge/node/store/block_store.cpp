#include "ipnscast/bridge/node/store/block_store.h"

#include "ipnscast/bridge/node/store/whole_dags.h"

namespace ipnscast::bridge {
namespace {

// The sum is kept beside the blocks, in the same transaction: adding up a big table would read all
// of it.
const store::Schema kBlockSchema{
    "node-blocks",
    {{1,
      "CREATE TABLE blocks(key BLOB PRIMARY KEY, data BLOB NOT NULL);"
      "CREATE TABLE pins(cid BLOB PRIMARY KEY) WITHOUT ROWID;"
      "CREATE TABLE total(bytes INTEGER NOT NULL);"
      "INSERT INTO total VALUES(0);"},
     {2, "ALTER TABLE blocks ADD COLUMN put_at INTEGER NOT NULL DEFAULT 0"}}};

// When a block came is noted again only when it is older than this: who sends what is there should
// not make the node write.
constexpr int64_t kPutGrain = 600;

}  // namespace

Result<std::unique_ptr<BlockStore>> BlockStore::open(const std::filesystem::path& file,
                                                     uint64_t max_bytes, Seconds unpinned) {
  auto db = store::Database::open(file, {kBlockSchema});
  if (!db) return fail(db.error());
  return std::unique_ptr<BlockStore>(new BlockStore(std::move(*db), max_bytes, unpinned));
}

Result<std::optional<Bytes>> BlockStore::get(const sync::Cid& cid) {
  std::lock_guard lock(mutex_);
  auto select = db_->prepare("SELECT data FROM blocks WHERE key = ?");
  if (select.bind(sync::block_key(cid)).step()) return select.blob(0);
  if (!select.status()) return fail(select.status().error());
  return std::nullopt;
}

Result<bool> BlockStore::has(const sync::Cid& cid) {
  if (cid.is_identity()) return true;
  std::lock_guard lock(mutex_);
  auto select = db_->prepare("SELECT 1 FROM blocks WHERE key = ?");
  const bool found = select.bind(sync::block_key(cid)).step();
  if (!select.status()) return fail(select.status().error());
  return found;
}

Status BlockStore::put(const sync::Cid& cid, ByteView block) {
  const Block one{cid, to_bytes(block)};
  return put_all({&one, 1});
}

Status BlockStore::put_all(std::span<const Block> blocks) {
  for (const Block& block : blocks) {
    if (stopping_) return fail(Errc::closed, "the node is being stopped");
    if (block.bytes.size() > sync::kMaxBlockBytes) {
      return fail(Errc::too_large, block.cid.to_string() + ": a block has at most 2 MiB");
    }
    if (Status checked = sync::check_block(block.cid, block.bytes); !checked) return checked;
  }
  bool full = false;
  Status status = put_checked(blocks, full);
  if (!full) return status;
  const auto room = make_room();
  if (!room) return fail(room.error());
  return *room ? put_checked(blocks, full) : status;
}

Status BlockStore::put_checked(std::span<const Block> blocks, bool& full) {
  std::lock_guard lock(mutex_);
  Status status = db_->begin();
  if (status) status = put_locked(blocks, full);
  if (status) status = db_->commit();
  if (!status) db_->rollback();
  return status;
}

Status BlockStore::put_locked(std::span<const Block> blocks, bool& full) {
  const auto before = stored_bytes_locked();
  if (!before) return fail(before.error());
  uint64_t total = *before;
  const int64_t now = system_now().seconds().value;
  auto insert = db_->prepare("INSERT OR IGNORE INTO blocks(key, data, put_at) VALUES(?, ?, ?)");
  auto again = db_->prepare("UPDATE blocks SET put_at = ?1 WHERE key = ?2 AND put_at < ?1 - ?3");
  for (const Block& block : blocks) {
    if (block.cid.is_identity()) continue;
    const Bytes key = sync::block_key(block.cid);
    const auto added = insert.bind(ByteView(key)).bind(ByteView(block.bytes)).bind(now).run();
    if (!added) return fail(added.error());
    if (*added > 0) {
      total += block.bytes.size();
    } else if (auto noted = again.bind(now).bind(ByteView(key)).bind(kPutGrain).run(); !noted) {
      return fail(noted.error());
    }
    if (total > max_bytes_) {
      full = true;
      return fail(Errc::too_large,
                  "the node is full: its blocks may take " + std::to_string(max_bytes_) + " bytes");
    }
  }
  const auto noted =
      db_->prepare("UPDATE total SET bytes = ?").bind(static_cast<int64_t>(total)).run();
  if (!noted) return fail(noted.error());
  return {};
}

Status BlockStore::pin(const sync::Cid& root) { return pin_all({&root, 1}).front(); }

// What was seen to be there is there still, unless blocks gave way meanwhile.
std::vector<Status> BlockStore::pin_all(std::span<const sync::Cid> roots) {
  std::vector<Status> out;
  std::vector<sync::Cid> whole;
  std::unique_lock lock(mutex_);
  for (std::optional<uint64_t> seen; seen != removals_;) {
    seen = removals_;
    lock.unlock();
    WholeDags dags(*this, stopping_);
    out.clear();
    whole.clear();
    for (const sync::Cid& root : roots) {
      out.push_back(dags.check(root));
      if (out.back()) whole.push_back(root);
    }
    lock.lock();
  }
  if (whole.empty()) return out;
  ++pins_added_;
  if (Status written = write_pins(whole); !written) {
    for (Status& status : out) {
      if (status) status = written;
    }
  }
  return out;
}

Status BlockStore::write_pins(std::span<const sync::Cid> roots) {
  Status status = db_->begin();
  if (status) {
    auto insert = db_->prepare("INSERT OR IGNORE INTO pins(cid) VALUES(?)");
    for (auto root = roots.begin(); status && root != roots.end(); ++root) {
      if (auto done = insert.bind(root->as_v1().encode()).run(); !done) status = fail(done.error());
    }
  }
  if (status) status = db_->commit();
  if (!status) db_->rollback();
  return status;
}

Result<bool> BlockStore::unpin(const sync::Cid& root) {
  std::lock_guard lock(mutex_);
  const auto removed =
      db_->prepare("DELETE FROM pins WHERE cid = ?").bind(root.as_v1().encode()).run();
  if (!removed) return fail(removed.error());
  return *removed > 0;
}

Result<bool> BlockStore::pinned(const sync::Cid& root) {
  std::lock_guard lock(mutex_);
  auto select = db_->prepare("SELECT 1 FROM pins WHERE cid = ?");
  const bool found = select.bind(root.as_v1().encode()).step();
  if (!select.status()) return fail(select.status().error());
  return found;
}

Result<std::vector<sync::Cid>> BlockStore::pins() {
  std::lock_guard lock(mutex_);
  std::vector<sync::Cid> out;
  auto select = db_->prepare("SELECT cid FROM pins ORDER BY cid");
  while (select.step()) {
    auto cid = sync::Cid::decode(select.blob(0));
    if (!cid) return fail(cid.error());
    out.push_back(std::move(*cid));
  }
  if (!select.status()) return fail(select.status().error());
  return out;
}

Result<uint64_t> BlockStore::stored_bytes() {
  std::lock_guard lock(mutex_);
  return stored_bytes_locked();
}

Result<uint64_t> BlockStore::stored_bytes_locked() {
  auto select = db_->prepare("SELECT bytes FROM total");
  if (select.step()) return static_cast<uint64_t>(select.integer(0));
  return fail(select.status() ? Error{Errc::io, "the node's block file has no total"}
                              : select.status().error());
}

}  // namespace ipnscast::bridge
