#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/sync/ipfs/ipld/block_source.h"

namespace ipnscast::sync {

// The links out of a block, in order: of dag-pb, dag-cbor and dag-json; raw, json and cbor have
// none. Errc::parse, Errc::unsupported for codecs whose links we cannot read.
Result<std::vector<Cid>> block_links(const Cid& cid, ByteView block);

struct WalkLimits {
  uint64_t max_bytes = uint64_t{16} << 30;  // of distinct blocks
  size_t max_blocks = 1 << 22;
  size_t max_depth = 1024;
  std::optional<Instant> deadline{};
  // True for what is not visited, and nothing below it by way of it; never asked about the root.
  std::function<bool(const Cid&)> leave_out{};
};

struct WalkResult {
  std::vector<Cid>
      missing;  // blocks that the source does not have, each once; what hangs below them is unknown
  uint64_t blocks = 0;  // distinct ones that are there
  uint64_t bytes = 0;
  bool is_complete() const { return missing.empty(); }
};

// Walks the whole DAG under `root`, depth first, each block once, and lists what is missing. Blocks
// with very many links may be read again on the way, and so are to stay in the source.
// `on_block` (may be empty) is called for each verified block that is there; its error ends the
// walk. At most `max_missing` missing ones are listed. Errc::too_large, Errc::timeout,
// Errc::signature, Errc::unsupported, Errc::parse, or the source's error.
using OnWalkedBlock = std::function<Status(const Cid& cid, ByteView block)>;
Result<WalkResult> walk_dag(BlockSource& source, const Cid& root, const WalkLimits& limits = {},
                            const OnWalkedBlock& on_block = nullptr, size_t max_missing = 1024);

}  // namespace ipnscast::sync
