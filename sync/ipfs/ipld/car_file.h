#pragma once

#include <filesystem>
#include <fstream>
#include <memory>
#include <unordered_map>

#include "ipnscast/nostr/base/bounded_set.h"
#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/nostr/base/file/pending_file.h"
#include "ipnscast/sync/ipfs/ipld/car.h"

namespace ipnscast::sync {

// A CAR file on disk as a source of blocks: an index in memory (some hundred bytes a block), the
// blocks read when asked for. Order does not matter. Of several copies of a block the first good
// one counts. Not thread-safe.
class CarFile final : public BlockSource {
 public:
  // Reads the whole file through. Errc::not_found, Errc::io, Errc::timeout, and CarReader's errors:
  // a file that is cut anywhere is refused.
  static Result<std::unique_ptr<CarFile>> open(const std::filesystem::path& file,
                                               std::optional<Instant> deadline = {});

  // Errc::signature for a block that is there, but altered.
  Result<std::optional<Bytes>> get(const Cid& cid) override;

  const std::vector<Cid>& roots() const { return roots_; }
  uint64_t byte_count() const { return byte_count_; }

 private:
  struct Place {
    uint64_t offset = 0;
    size_t size = 0;
    bool is_good = false;
  };
  CarFile() = default;
  Status read_index(const std::optional<Instant>& deadline);

  std::ifstream file_;
  std::unordered_map<std::string, Place> places_;  // by block_key()
  std::vector<Cid> roots_;
  uint64_t byte_count_ = 0;
};

// Writes blocks into a CAR file with one root. The file appears under its name when finish() has
// succeeded; until then it is a temporary one beside it (PendingFile), which the destructor
// removes. A block that was just written is not written again.
class CarFileWriter final : public BlockSink {
 public:
  // The errors of PendingFile::create().
  static Result<std::unique_ptr<CarFileWriter>> create(const std::filesystem::path& file);
  CarFileWriter(const CarFileWriter&) = delete;
  CarFileWriter& operator=(const CarFileWriter&) = delete;

  Status put(const Cid& cid, ByteView block) override;
  // The root goes into the header, which has room for a version 1 CID with sha2-256 only.
  // Errc::unsupported, Errc::io.
  Status finish(const Cid& root);

  uint64_t block_count() const { return block_count_; }
  uint64_t byte_count() const { return byte_count_; }

 private:
  explicit CarFileWriter(PendingFile file);
  Status write(ByteView bytes);
  Status flush();

  PendingFile file_;
  Bytes waiting_;  // not yet handed to the file
  BoundedSet<std::string> recent_;
  uint64_t block_count_ = 0;
  uint64_t byte_count_ = 0;
};

}  // namespace ipnscast::sync
