#pragma once

#include <cstdint>
#include <random>

#include "ipnscast/nostr/base/bytes.h"

namespace ipnscast {

// From the system's secure generator (libcrypto). Ends the process if that has no entropy, which no
// caller could mend.
void fill_random(std::span<uint8_t> out);
Bytes random_bytes(size_t count);

// A generator for jitter and for simulations: fast, seedable, not for keys.
using Rng = std::mt19937_64;

// One seeded from the system.
Rng make_rng();

}  // namespace ipnscast
