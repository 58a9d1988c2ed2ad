#pragma once

#include <functional>

#include "ipnscast/sync/ipfs/unixfs/dag_scope.h"

namespace ipnscast::bridge {

using OnBlock = std::function<Status(const sync::Cid&, ByteView block)>;

// What becomes of a block that a DAG holds in several places.
enum class Repeats {
  left_out,  // visited in the first of them (dups=n)
  visited,   // in all of them (dups=y), up to 1,048,576 times too many: Errc::too_large
};

// Visits the blocks of a part of a DAG depth first, parents before children, links in their order
// (order=dfs); before them those that lead to it along the path, so that a client can verify the
// path. Blocks are verified; identity CIDs are walked through but not
// visited. Errc::not_found naming the first block that is missing, or a step of the path that is
// not there; Errc::parse for a block that does not decode; what `visit` returns as an error ends
// the walk.
Status visit_scope(sync::BlockSource& source, const sync::Cid& root, const sync::DagScope& scope,
                   const OnBlock& visit, Repeats repeats = Repeats::left_out);

// What Kubo says about a block that is not there; clients look for these words.
Error block_missing(const sync::Cid& cid);

}  // namespace ipnscast::bridge
