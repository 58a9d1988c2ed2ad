#include "ipnscast/nostr/base/random.h"

#include <openssl/rand.h>

#include <cstdio>
#include <cstdlib>

namespace ipnscast {

void fill_random(std::span<uint8_t> out) {
  if (RAND_bytes(out.data(), static_cast<int>(out.size())) != 1) {
    std::fputs("ipnscast: the system's random generator failed\n", stderr);
    std::abort();
  }
}

Bytes random_bytes(size_t count) {
  Bytes out(count);
  fill_random(out);
  return out;
}

Rng make_rng() {
  std::array<uint8_t, 8> seed;
  fill_random(seed);
  uint64_t value = 0;
  std::memcpy(&value, seed.data(), sizeof(value));
  return Rng(value);
}

}  // namespace ipnscast
