#pragma once

#include <memory>
#include <optional>

#include "ipnscast/sync/ipfs/ipld/cid.h"

namespace ipnscast::sync {

// A block that we take has at most this many bytes, as in other implementations. What we make stays
// at 1 MiB and a few bytes.
inline constexpr size_t kMaxBlockBytes = 2 << 20;

// A block's bytes, held by all who still need them.
using SharedBlock = std::shared_ptr<const Bytes>;

// Where those who walk a DAG get its blocks from: a cache, a CAR file, a gateway.
class BlockSource {
 public:
  virtual ~BlockSource() = default;
  // The block's bytes, or nothing when it is not there. Never asked for identity CIDs. Those
  // who use a source go through read_block(), which verifies the bytes. Errors end the walk.
  virtual Result<std::optional<Bytes>> get(const Cid& cid) = 0;
  // Whether what get() gives was checked against the CID already.
  virtual bool verifies() const { return false; }
};

// Where blocks go: a cache, a CAR file, a node. An error ends what makes them.
class BlockSink {
 public:
  virtual ~BlockSink() = default;
  virtual Status put(const Cid& cid, ByteView block) = 0;
};

// A verified block; identity CIDs are answered from themselves. Errc::not_found, Errc::signature,
// Errc::unsupported, Errc::too_large, or the source's own error.
Result<Bytes> read_block(BlockSource& source, const Cid& cid);

}  // namespace ipnscast::sync
