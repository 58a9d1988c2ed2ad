#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ipnscast/sync/ipfs/ipld/block_source.h"

// Small DAGs that stand for much more than they are. Each function puts the blocks into `sink` and
// returns the root; all blocks are valid by themselves.
namespace ipnscast::test {

// Directories within directories, each linked `width` times by the one above: width^levels of
// them. `leaf` is what the innermost ones hold, under the name "leaf".
sync::Cid repeated_directories(sync::BlockSink& sink, size_t levels, size_t width,
                               const sync::Cid& leaf);

// A file whose nodes link `width` times to the one below: width^levels copies of one raw leaf.
struct RepeatedFile {
  sync::Cid cid;
  uint64_t size = 0;
};
RepeatedFile repeated_file(sync::BlockSink& sink, size_t levels, size_t width, size_t leaf_bytes);

// The same with next to no bytes: each node has `width` links, of which all but one are to an empty
// leaf, over `levels` levels whose nodes are one byte long per child node.
RepeatedFile empty_leaves(sync::BlockSink& sink, size_t width);

// A directory of `count` entries, all of them `file`, of which it claims the weight `tsize`.
sync::Cid copies(sync::BlockSink& sink, const sync::Cid& file, size_t count, uint64_t tsize);

// A directory of `count` raw files of so many bytes, each its own.
sync::Cid distinct_files(sync::BlockSink& sink, size_t count, size_t bytes);

// `nodes` dag-pb nodes below one another, each with `links` links to raw blocks that exist nowhere.
sync::Cid link_fan(sync::BlockSink& sink, size_t nodes, size_t links);

// Directories within one another, one entry each.
sync::Cid deep_chain(sync::BlockSink& sink, size_t levels, const std::string& name);

// A sharded directory whose shards all link to the same one below, which is right in one place.
sync::Cid repeated_shards(sync::BlockSink& sink, size_t levels);

// The raw block of these bytes.
sync::Cid raw_leaf(sync::BlockSink& sink, const std::string& bytes);

}  // namespace ipnscast::test
