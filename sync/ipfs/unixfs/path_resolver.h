#pragma once

#include <string_view>
#include <vector>

#include "ipnscast/sync/ipfs/unixfs/dag_budget.h"

namespace ipnscast::sync {

// Follows "/a/b" (or "a/b"; empty for the root itself) from a directory down. Through dag-cbor
// and dag-json maps and lists too, whose members are taken as they are named. Symbolic links are
// not followed. At most 256 steps. Errc::not_found, Errc::mismatch when a step leads into something
// that is no directory, Errc::parse, or the source's error.
Result<Cid> resolve_path(BlockSource& source, const Cid& root, std::string_view path);
// The same on the account of a walk.
Result<Cid> resolve_path(DagBudget& budget, BlockSource& source, const Cid& root,
                         std::string_view path);

// The same, one CID for each step of the path that leads out of a block: the root first, where the
// path leads last. On an error `reached` holds those that were found before.
Status resolve_path(DagBudget& budget, BlockSource& source, const Cid& root, std::string_view path,
                    std::vector<Cid>& reached);

}  // namespace ipnscast::sync
