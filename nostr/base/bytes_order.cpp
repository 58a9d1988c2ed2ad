#include "ipnscast/nostr/base/bytes_order.h"

#include <algorithm>
#include <cstring>

namespace ipnscast {

std::strong_ordering compare_bytes(ByteView a, ByteView b) {
  const size_t shared = std::min(a.size(), b.size());
  const int front = shared == 0 ? 0 : std::memcmp(a.data(), b.data(), shared);
  return front != 0 ? front <=> 0 : a.size() <=> b.size();
}

}  // namespace ipnscast
