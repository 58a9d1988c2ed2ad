#pragma once

#include "ipnscast/sync/ipfs/ipld/cid.h"

namespace ipnscast::sync {

// False for codecs whose blocks never link to others. For the rest, block_links() tells
// (dag_walk.h).
inline bool may_have_links(const Cid& cid) {
  return !cid.is(Codec::raw) && !cid.is(Codec::json) && !cid.is(Codec::cbor);
}

}  // namespace ipnscast::sync
