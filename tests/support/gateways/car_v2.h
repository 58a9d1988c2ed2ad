#pragma once

#include <cstdint>

#include "ipnscast/nostr/base/bytes.h"

namespace ipnscast::test {

// A CARv2 around a CARv1: its pragma, flags, where the inner one begins and how long it is, where
// the index begins. Behind the inner one stands something for an index.
Bytes car_v2(ByteView inner, uint64_t offset, uint64_t size);

}  // namespace ipnscast::test
