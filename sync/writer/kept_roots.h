#pragma once

#include <vector>

#include "ipnscast/sync/ipfs/ipld/cid.h"
#include "ipnscast/sync/writer/own_publish.h"

namespace ipnscast::sync {

// Content of own publishes that perhaps nobody else has: it is not to go from here.
struct KeptRoots {
  std::vector<Cid> lost;  // displaced for certain, until somebody has dealt with it
  std::vector<Cid>
      perhaps_lost;         // displaced by what does not say what it was made of; latest first
  std::vector<Cid> queued;  // nobody was told of it yet
  std::vector<Cid> open;    // what counts now, or what the deciding node may make count
  bool operator==(const KeptRoots&) const = default;
};

// Each root once, in the first list that it belongs to.
KeptRoots kept_roots(const WriterState& state);

}  // namespace ipnscast::sync
