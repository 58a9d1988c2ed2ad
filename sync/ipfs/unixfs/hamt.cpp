#include "ipnscast/sync/ipfs/unixfs/hamt.h"

#include <bit>
#include <cstddef>

namespace ipnscast::sync {
namespace {

constexpr uint64_t kC1 = 0x87c37b91114253d5;
constexpr uint64_t kC2 = 0x4cf5ad432745937f;

// Up to eight bytes, lowest first.
uint64_t load(std::string_view bytes) {
  uint64_t out = 0;
  for (size_t i = 0; i < bytes.size() && i < 8; ++i) {
    out |= uint64_t{static_cast<uint8_t>(bytes[i])} << (8 * i);
  }
  return out;
}

uint64_t mix1(uint64_t k) { return std::rotl(k * kC1, 31) * kC2; }
uint64_t mix2(uint64_t k) { return std::rotl(k * kC2, 33) * kC1; }

uint64_t finish(uint64_t h) {
  h = (h ^ (h >> 33)) * 0xff51afd7ed558ccd;
  h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53;
  return h ^ (h >> 33);
}

}  // namespace

uint64_t hamt_hash(std::string_view name) {
  uint64_t h1 = 0;
  uint64_t h2 = 0;
  std::string_view rest = name;
  for (; rest.size() >= 16; rest.remove_prefix(16)) {
    h1 = (std::rotl(h1 ^ mix1(load(rest.substr(0, 8))), 27) + h2) * 5 + 0x52dce729;
    h2 = (std::rotl(h2 ^ mix2(load(rest.substr(8, 8))), 31) + h1) * 5 + 0x38495ab5;
  }
  if (rest.size() > 8) h2 ^= mix2(load(rest.substr(8)));
  if (!rest.empty()) h1 ^= mix1(load(rest.substr(0, 8)));
  h1 ^= name.size();
  h2 ^= name.size();
  h1 += h2;
  h2 += h1;
  return finish(h1) + finish(h2);
}

std::optional<uint64_t> hamt_slot(uint64_t hash, unsigned bits_used, uint64_t fanout) {
  const auto bits = static_cast<unsigned>(std::countr_zero(fanout));
  if (bits_used + bits > 64) return std::nullopt;
  return (hash >> (64 - bits_used - bits)) & (fanout - 1);
}

std::string hamt_prefix(uint64_t slot, uint64_t fanout) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (uint64_t rest = fanout - 1; rest > 0; rest >>= 4) {
    out.insert(out.begin(), kDigits[slot & 15]);
    slot >>= 4;
  }
  return out;
}

}  // namespace ipnscast::sync
