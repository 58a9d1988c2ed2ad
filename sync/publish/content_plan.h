#pragma once

#include <string>
#include <unordered_set>
#include <vector>

#include "ipnscast/sync/ipfs/ipld/block_source.h"

namespace ipnscast::sync {

// Blocks that somebody has, each with everything below it. By the key of the CID's version 1.
class KnownBlocks {
 public:
  // What can be read here of the DAG under `root`, which is known to be there as a whole. At most
  // `most` blocks are noted in all: what is not noted is only sent once too often.
  void add(BlockSource& source, const Cid& root, size_t most = 1 << 19);
  bool has(const Cid& cid) const;
  size_t size() const { return keys_.size(); }

 private:
  std::unordered_set<std::string> keys_;
};

// The blocks under one root that are to be sent, depth first, in batches.
struct ContentPlan {
  struct Batch {
    size_t begin = 0;  // in `blocks`
    size_t end = 0;
    uint64_t bytes = 0;
  };
  std::vector<Cid> blocks;  // the root is always the first
  std::vector<Batch> batches;
  uint64_t bytes = 0;
};

// Everything under `root` but what is known to be there already. A batch has about `batch_bytes`,
// or one block that is larger. Errc::not_found when a block is missing in `source`, else as
// walk_dag().
Result<ContentPlan> plan_content(BlockSource& source, const Cid& root, const KnownBlocks& known,
                                 size_t batch_bytes);

}  // namespace ipnscast::sync
