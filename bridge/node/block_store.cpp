#include "bridge/node/block_store.h"

namespace ipnscast::bridge {
namespace {

// The sum is kept beside the blocks, in the same transaction: adding up a big table would read all
// of it.
const store::Schema kSchema{"node-blocks",
                            {{1,
                              "CREATE TABLE blocks(key BLOB PRIMARY KEY, data BLOB NOT NULL);"
                              "CREATE TABLE pins(cid BLOB PRIMARY KEY) WITHOUT ROWID;"
                              "CREATE TABLE total(bytes INTEGER NOT NULL);"
                              "INSERT INTO total VALUES(0);"}}};

}  // namespace

Result<std::unique_ptr<BlockStore>> BlockStore::open(const std::filesystem::path& file,
                                                     uint64_t max_bytes) {
  auto db = store::Database::open(file, {kSchema});
  if (!db) return fail(db.error());
  return std::unique_ptr<BlockStore>(new BlockStore(std::move(*db), max_bytes));
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
    if (block.bytes.size() > sync::kMaxBlockBytes) {
      return fail(Errc::too_large, block.cid.to_string() + ": a block has at most 2 MiB");
    }
    if (Status checked = sync::check_block(block.cid, block.bytes); !checked) return checked;
  }
  std::lock_guard lock(mutex_);
  Status status = db_->begin();
  if (status) status = put_locked(blocks);
  if (status) status = db_->commit();
  if (!status) db_->rollback();
  return status;
}

Status BlockStore::put_locked(std::span<const Block> blocks) {
  const auto before = stored_bytes_locked();
  if (!before) return fail(before.error());
  uint64_t total = *before;
  auto insert = db_->prepare("INSERT OR IGNORE INTO blocks(key, data) VALUES(?, ?)");
  for (const Block& block : blocks) {
    if (block.cid.is_identity()) continue;
    const auto added = insert.bind(sync::block_key(block.cid)).bind(ByteView(block.bytes)).run();
    if (!added) return fail(added.error());
    if (*added > 0) total += block.bytes.size();
    if (total > max_bytes_) {
      return fail(Errc::too_large,
                  "the node is full: its blocks may take " + std::to_string(max_bytes_) + " bytes");
    }
  }
  const auto noted =
      db_->prepare("UPDATE total SET bytes = ?").bind(static_cast<int64_t>(total)).run();
  if (!noted) return fail(noted.error());
  return {};
}

Status BlockStore::pin(const sync::Cid& root) {
  std::lock_guard lock(mutex_);
  const auto done =
      db_->prepare("INSERT OR IGNORE INTO pins(cid) VALUES(?)").bind(root.as_v1().encode()).run();
  if (!done) return fail(done.error());
  return {};
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
