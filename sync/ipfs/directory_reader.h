#pragma once

#include <functional>
#include <string>

#include "sync/ipfs/block_source.h"
#include "sync/ipfs/unixfs.h"

namespace ipnscast::sync {

// One entry's name, which may be any bytes, and its CID.
using OnEntry = std::function<Status(const std::string& name, const Cid& cid)>;

// Calls on_entry for each entry of a directory, sharded or not. `node` is decoded from the
// directory's block. Shards whose entries do not belong to their slots are refused. A name that
// comes again is skipped: the first one counts. Errc::parse, read_block()'s errors, or the
// callback's.
Status read_directory(BlockSource& source, const UnixfsNode& node, const OnEntry& on_entry);

// The entry of that name; only the shards on its way are read. Errc::not_found when there is none,
// and also when a shard's block is missing (the message tells).
Result<Cid> find_entry(BlockSource& source, const UnixfsNode& node, const std::string& name);

}  // namespace ipnscast::sync
