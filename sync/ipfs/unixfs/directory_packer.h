#pragma once

#include <string>

#include "ipnscast/sync/ipfs/unixfs/file_packer.h"

namespace ipnscast::sync {

// Makes the blocks of one directory out of its entries, given in any order: one node with links
// sorted by name, or a tree of shards (fanout 256) when that node would pass 256 KiB. Errc::invalid
// for a name twice, else the sink's errors.
struct NamedEntry {
  std::string name;
  PackedEntry entry;
};
Result<PackedEntry> pack_directory(std::vector<NamedEntry> entries, const PackProfile& profile,
                                   BlockSink& sink);

// A symbolic link. `target` is any text.
Result<PackedEntry> pack_symlink(std::string_view target, BlockSink& sink);

}  // namespace ipnscast::sync
