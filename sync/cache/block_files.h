#pragma once

#include <filesystem>
#include <optional>
#include <unordered_set>

#include "ipnscast/nostr/base/bytes.h"
#include "ipnscast/nostr/base/result.h"

namespace ipnscast::sync {

// Blocks that are too large to stand well in a database's pages, a file each, named by the number
// of its row. What is in a file is not trusted: whoever reads checks. Not thread-safe.
class BlockFiles {
 public:
  explicit BlockFiles(std::filesystem::path directory) : directory_(std::move(directory)) {}

  // Creates the directory (mode 0700), and removes files of rows that are not there: a process that
  // was killed leaves them. The errors of Folder::open_own().
  Status open(const std::unordered_set<int64_t>& rows);
  // Errc::io, after which there is no file.
  Status write(int64_t row, ByteView block);
  // The same, with the old file or the new one there at any instant.
  Status replace(int64_t row, ByteView block);
  // Nothing when there is no such file, or when it has another size.
  std::optional<Bytes> read(int64_t row, size_t size) const;
  void remove(int64_t row);

 private:
  Status write_file(const std::filesystem::path& file, ByteView block);
  std::filesystem::path path(int64_t row) const { return directory_ / std::to_string(row); }

  const std::filesystem::path directory_;
};

}  // namespace ipnscast::sync
