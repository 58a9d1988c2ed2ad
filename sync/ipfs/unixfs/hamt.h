#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ipnscast::sync {

// How sharded UnixFS directories find a name. Each level of shards takes log2(fanout) bits of the
// name's hash, highest first; a link is named by its slot in upper-case hex and, unless it leads to
// a deeper shard, the entry's name.
inline constexpr uint64_t kHamtMurmur3 = 0x22;
inline constexpr uint64_t kMaxHamtFanout =
    1024;  // more would let one small block ask for much memory

// The first 64 bits of MurmurHash3 x64 128 with seed 0.
uint64_t hamt_hash(std::string_view name);

// The slot at that many bits below the top; nothing when the hash has no bits left. fanout is a
// power of two.
std::optional<uint64_t> hamt_slot(uint64_t hash, unsigned bits_used, uint64_t fanout);

// The slot as a link's name begins: as many hex digits as fanout - 1 has.
std::string hamt_prefix(uint64_t slot, uint64_t fanout);

}  // namespace ipnscast::sync
