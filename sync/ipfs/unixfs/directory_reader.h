#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ipnscast/sync/ipfs/unixfs/dag_budget.h"
#include "ipnscast/sync/ipfs/unixfs/unixfs.h"

namespace ipnscast::sync {

// One entry's name, which may be any bytes, and its CID.
using OnEntry = std::function<Status(const std::string& name, const Cid& cid)>;

// Calls on_entry for each entry of a directory, sharded or not. `node` is decoded from the
// directory's block. Shards whose entries do not belong to their slots, or with two in one slot,
// are refused. A name that comes again is skipped: the first one counts. Errc::parse,
// read_block()'s errors, or the callback's.
Status read_directory(BlockSource& source, const UnixfsNode& node, const OnEntry& on_entry);
// The same on the account of a walk.
Status read_directory(DagBudget& budget, BlockSource& source, const UnixfsNode& node,
                      const OnEntry& on_entry);

// Where a shard stands below the directory's first block: the fanout of the shards above it, 0 for
// the first, and how many bits of a name's hash led to it.
struct ShardPlace {
  uint64_t fanout = 0;
  unsigned bits = 0;
};

// Where one block of a directory leads to for a name: to its entry, or to a deeper shard.
struct DirectoryStep {
  Cid cid;
  bool is_entry = true;
  ShardPlace below;  // of the deeper shard
};

// Errc::not_found when there is no entry of that name, Errc::mismatch when the node is no
// directory, Errc::parse for a shard that does not continue the one above.
Result<DirectoryStep> directory_step(const UnixfsNode& node, const std::string& name,
                                     ShardPlace place);
// The shards that one links to. Errc::parse.
Result<std::vector<DirectoryStep>> deeper_shards(const UnixfsNode& node, ShardPlace place);

}  // namespace ipnscast::sync
