// How the cache comes to be encrypted, and stays so.
#include "ipnscast/nostr/base/log.h"
#include "ipnscast/sync/cache/block_cache.h"

namespace ipnscast::sync {
namespace {

constexpr std::string_view kProof = "ipnscast block cache";
constexpr int64_t kFilling = 1024 * 1024;

}  // namespace

Bytes BlockCache::stored_form(const std::string& key, ByteView block) const {
  return options_.at_rest ? options_.at_rest->seal(block, as_bytes(key)) : to_bytes(block);
}

// Nothing when it is not what was stored under this key.
std::optional<Bytes> BlockCache::plain_form(const std::string& key, Bytes stored) const {
  if (!options_.at_rest) return stored;
  auto block = options_.at_rest->open(stored, as_bytes(key));
  if (!block) return std::nullopt;
  return std::move(*block);
}

size_t BlockCache::stored_size(size_t size) const {
  return size + (options_.at_rest ? AtRest::kOverhead : 0);
}

// The table has a proof of the key when what the cache holds is encrypted.
Status BlockCache::unlock() {
  Bytes proof;
  {
    auto select = database_->prepare("SELECT proof FROM at_rest");
    if (select.step()) proof = select.blob(0);
    if (!select.status()) return select.status();
  }
  if (!options_.at_rest && proof.empty()) return {};
  if (!options_.at_rest)
    return fail(Errc::refused,
                "its blocks are encrypted: set publish.at_rest = \"aes-256-gcm\", or remove it");
  if (proof.empty()) return encrypt_all();
  if (options_.at_rest->open(proof, as_bytes(kProof))) return {};
  return fail(Errc::refused, "its blocks are encrypted with another key; use that, or remove it");
}

// What is in files is sealed one by one; a run that is killed on the way begins anew, and finds
// some that are sealed already.
Status BlockCache::encrypt_all() {
  struct Row {
    int64_t number;
    std::string key;
    size_t size;
  };
  std::vector<Row> rows;
  {
    auto select = database_->prepare("SELECT rowid, key, size FROM blocks");
    while (select.step()) {
      rows.push_back({select.integer(0), std::string(as_text(select.blob(1))),
                      static_cast<size_t>(select.integer(2))});
    }
    if (!select.status()) return select.status();
  }
  if (!rows.empty()) log_info("cache", std::to_string(rows.size()) + " blocks are being encrypted");
  (void)database_->execute("PRAGMA secure_delete = ON");
  if (Status status = database_->begin(); !status) return status;
  Status done;
  for (const Row& row : rows) {
    done = encrypt_one(row.number, row.key, row.size);
    if (!done) break;
  }
  if (done) {
    const Bytes proof = options_.at_rest->seal(as_bytes(kProof), as_bytes(kProof));
    auto added = database_->prepare("INSERT INTO at_rest(id, proof) VALUES(1, ?)")
                     .bind(ByteView(proof))
                     .run();
    if (!added) done = fail(added.error());
  }
  if (done) done = database_->commit();
  if (!done) {
    database_->rollback();
    return done;
  }
  return overwrite_free_pages();
}

// What was deleted in former times still stands in pages that are free, and in the log. (VACUUM
// would give rows other numbers, after which files are named.)
Status BlockCache::overwrite_free_pages() {
  int64_t bytes = 0;
  {
    auto count = database_->prepare(
        "SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size");
    if (count.step()) bytes = count.integer(0);
    if (!count.status()) return count.status();
  }
  if (Status made = database_->execute("CREATE TABLE filling(zeros BLOB)"); !made) return made;
  for (; bytes > 0; bytes -= kFilling) {
    auto filled =
        database_->prepare("INSERT INTO filling VALUES(zeroblob(?))").bind(kFilling).run();
    if (!filled) return fail(filled.error());
  }
  return database_->execute("DROP TABLE filling; PRAGMA wal_checkpoint(TRUNCATE)");
}

Status BlockCache::encrypt_one(int64_t row, const std::string& key, size_t size) {
  Bytes bytes;
  {
    auto select = database_->prepare("SELECT bytes FROM blocks WHERE rowid = ?");
    if (!select.bind(row).step()) return fail(Errc::io, "a block cannot be read");
    bytes = select.blob(0);
  }
  if (bytes.empty() && size > 0) {
    const auto plain = files_.read(row, size);
    return plain ? files_.replace(row, stored_form(key, *plain)) : Status{};
  }
  const Bytes sealed = stored_form(key, bytes);
  auto changed = database_->prepare("UPDATE blocks SET bytes = ? WHERE rowid = ?")
                     .bind(ByteView(sealed))
                     .bind(row)
                     .run();
  return changed ? Status{} : fail(changed.error());
}

}  // namespace ipnscast::sync
