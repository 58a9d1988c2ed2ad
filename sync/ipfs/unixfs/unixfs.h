#pragma once

#include <optional>
#include <vector>

#include "ipnscast/sync/ipfs/ipld/dag_pb.h"
#include "ipnscast/sync/ipfs/unixfs/file_metadata.h"

namespace ipnscast::sync {

enum class UnixfsType : uint64_t {
  raw = 0,
  directory = 1,
  file = 2,
  metadata = 3,
  symlink = 4,
  hamt_shard = 5
};

// The message in a dag-pb node's data. The packer gives no modes and times.
struct UnixfsData {
  UnixfsType type = UnixfsType::file;
  std::optional<Bytes> data;  // content of a file, target of a symlink, bit field of a shard
  std::optional<uint64_t> filesize;
  std::vector<uint64_t> blocksizes;  // one for each link of a file
  std::optional<uint64_t> hash_type;
  std::optional<uint64_t> fanout;
  FileMetadata metadata{};
  bool operator==(const UnixfsData&) const = default;
};

// Errc::parse.
Result<UnixfsData> decode_unixfs(ByteView bytes);
Bytes encode_unixfs(const UnixfsData& data);

// One block as a part of a file tree.
struct UnixfsNode {
  UnixfsData data;
  std::vector<PbLink> links;

  bool is_file() const { return data.type == UnixfsType::file || data.type == UnixfsType::raw; }
  bool is_directory() const {
    return data.type == UnixfsType::directory || data.type == UnixfsType::hamt_shard;
  }
  // Of a file: its own bytes and those of its children, which decode_node() has found to agree with
  // filesize.
  uint64_t size() const;
};

// A raw block is a file. A dag-pb block is checked for what its type demands: a file's links are
// nameless, one for each blocksize, and their sum is the filesize; a shard's fanout is a power of
// two from 8 to 1,024 and its hash murmur3. Errc::parse, Errc::unsupported for other codecs and for
// metadata nodes.
Result<UnixfsNode> decode_node(const Cid& cid, ByteView block);
// The same; a raw block's bytes are moved.
Result<UnixfsNode> decode_node(const Cid& cid, Bytes&& block);

}  // namespace ipnscast::sync
