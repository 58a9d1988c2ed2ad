#pragma once

#include <compare>

#include "ipnscast/nostr/base/bytes.h"

namespace ipnscast {

// The order of a dictionary. Instead of the <=> of std::vector<uint8_t>: GCC 12 to 14, when they
// optimise, warn that it reads too far (it does not), also in the programs of those who include our
// headers.
std::strong_ordering compare_bytes(ByteView a, ByteView b);

// For std::map and std::set.
struct BytesLess {
  bool operator()(ByteView a, ByteView b) const { return std::is_lt(compare_bytes(a, b)); }
};

}  // namespace ipnscast
