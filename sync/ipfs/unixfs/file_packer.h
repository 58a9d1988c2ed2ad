#pragma once

#include <vector>

#include "ipnscast/sync/ipfs/ipld/block_source.h"
#include "ipnscast/sync/ipfs/ipld/dag_pb.h"

namespace ipnscast::sync {

// How content is cut into blocks: what decides which CID it gets (IPIP-499).
struct PackProfile {
  size_t chunk_bytes = 256 << 10;
  size_t links_per_node = 174;
  // A directory is sharded when it passes 256 KiB: counted as the bytes of its block, or as names
  // and CIDs only.
  bool shards_by_block_size = false;
  bool operator==(const PackProfile&) const = default;
};
// As `ipfs add --cid-version=1 --raw-leaves` has it.
inline constexpr PackProfile kKubo256k{};
inline constexpr PackProfile kUnixfsV1_2025{1 << 20, 1024, true};

// What stands for a finished file or directory in the directory above it.
struct PackedEntry {
  Cid cid;
  uint64_t tsize = 0;  // its blocks' bytes, each as often as it is linked
  uint64_t size = 0;   // of a file: its content's bytes
};

// Makes the blocks of one file out of its bytes: raw leaves, a balanced tree over them. Holds one
// chunk and one node a level. A file of one chunk is that bare block.
class FilePacker {
 public:
  FilePacker(const PackProfile& profile, BlockSink& sink) : profile_(profile), sink_(sink) {}

  // Bytes in pieces of any size. Errors are the sink's.
  Status write(ByteView bytes);
  // Once, at the end.
  Result<PackedEntry> finish();

 private:
  struct Level {
    std::vector<PackedEntry> children;
  };
  Status add_leaf();
  Status add(size_t level, PackedEntry entry);
  Result<PackedEntry> make_node(const std::vector<PackedEntry>& children);

  const PackProfile profile_;
  BlockSink& sink_;
  Bytes chunk_;
  std::vector<Level> levels_;  // leaves first
};

// Hands a dag-pb node to the sink.
Result<PackedEntry> put_node(const PbNode& node, BlockSink& sink);

}  // namespace ipnscast::sync
