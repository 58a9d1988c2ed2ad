#pragma once

#include "ipnscast/sync/ipfs/unixfs/dag_scope.h"

namespace ipnscast::sync::inspection {

struct CarContent {
  size_t blocks = 0;  // different ones in the stream
  size_t needed = 0;  // of these, what the scope is made of
};
// Every block is its CID's, and all that the scope wants is there. Errc::signature for a lie,
// Errc::not_found when blocks are missing, errors of CarReader and ScopeGuide.
Result<CarContent> check_car(ByteView car, const Cid& root, const DagScope& scope);

}  // namespace ipnscast::sync::inspection
