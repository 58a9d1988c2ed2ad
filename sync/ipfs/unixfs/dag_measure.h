#pragma once

#include "ipnscast/sync/ipfs/unixfs/dag_budget.h"

namespace ipnscast::sync {

// What the UnixFS tree under `root` stands for, as often as its parts are linked, without making
// any of it: each block that links to others is read once. Of a file only those are, of which
// nothing but the sizes is trusted. What is no UnixFS counts as one block. Errc::not_found,
// Errc::signature, Errc::timeout, Errc::too_large as soon as a directory stands for more bytes or
// entries than the limits; what blocks claim is checked by whoever unpacks them.
Result<DagTotals> measure_tree(BlockSource& source, const Cid& root, const DagLimits& limits);

}  // namespace ipnscast::sync
