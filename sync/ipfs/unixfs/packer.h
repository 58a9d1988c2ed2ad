#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/nostr/base/file/folder.h"
#include "ipnscast/sync/ipfs/unixfs/file_packer.h"

namespace ipnscast::sync {

struct PackOptions {
  PackProfile profile = kKubo256k;
  bool skip_hidden = false;  // leaves out names that start with a dot, below the path itself
  std::optional<Instant> deadline{};
  std::stop_token stop{};  // asked to stop, it ends with Errc::cancelled
  // Asked of each file and directory before it is read; its error ends it. Empty: all are allowed.
  std::function<Status(FileId, const std::filesystem::path&)> allow{};
};

struct Packed {
  Cid root;
  uint64_t files = 0;
  uint64_t directories = 0;
  uint64_t symlinks = 0;
  uint64_t bytes = 0;   // of the files' content
  uint64_t hidden = 0;  // names that were left out, each with all that is below it
};

// Turns a file or a directory on disk into blocks, children before their parents, and hands each to
// the sink. Memory is bounded by one chunk and the entries of the directories on the way down.
// Symbolic links stay links; only `path` itself is followed. Errc::not_found, Errc::io,
// Errc::invalid for devices, sockets and pipes, Errc::too_large when nested more than 256 deep,
// Errc::timeout, or the sink's own error.
Result<Packed> pack_path(const std::filesystem::path& path, const PackOptions& options,
                         BlockSink& sink);

}  // namespace ipnscast::sync
