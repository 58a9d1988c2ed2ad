#pragma once

#include "ipnscast/sync/ipfs/ipld/block_source.h"

namespace ipnscast::sync {

// R12: there is nothing in it that anybody could miss: an empty file, or a directory without a byte
// in any file below it and without symbolic links. What cannot be read here, or is no UnixFS, is
// not called empty. Stops at the first byte.
bool is_empty_content(BlockSource& source, const Cid& root);

}  // namespace ipnscast::sync
