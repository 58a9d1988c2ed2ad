#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ipnscast/sync/ipfs/ipld/cid.h"

namespace ipnscast::sync {

struct PbLink {
  Cid cid;
  std::optional<std::string> name;  // any bytes
  std::optional<uint64_t>
      tsize;  // what the block and those under it weigh: a hint, never to be trusted
  bool operator==(const PbLink&) const = default;
};

struct PbNode {
  std::vector<PbLink> links;
  std::optional<Bytes> data;
  bool operator==(const PbNode&) const = default;
};

// IPLD DAG-PB, in the one form that it has: links before data; in a link hash, name, tsize in this
// order; nothing twice, nothing unknown, minimal varints. Errc::parse.
Result<PbNode> decode_dag_pb(ByteView bytes);

// Links in the order given.
Bytes encode_dag_pb(const PbNode& node);

// The bytes that one link adds to its node.
size_t encoded_size(const PbLink& link);

}  // namespace ipnscast::sync
