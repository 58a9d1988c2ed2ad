#pragma once

#include "ipnscast/sync/ipfs/ipld/multihash.h"

namespace ipnscast::sync {

// Whether any bytes could match: the function is one that hash() knows, the digest has its full
// length, or is an identity of up to 128 bytes. Errc::unsupported.
Status check_form(const Multihash& hash);

}  // namespace ipnscast::sync
