#include "ipnscast/sync/ipfs/unixfs/fingerprint_set.h"

#include <bit>
#include <cstddef>
#include <cstring>

#include "ipnscast/nostr/base/random.h"

namespace ipnscast::sync {
namespace {

constexpr size_t kFirstSlots = 64;

uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93;
  x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93;
  return x ^ (x >> 32);
}

uint64_t absorb(uint64_t state, std::string_view bytes) {
  state = mix(state + bytes.size());
  while (!bytes.empty()) {
    uint64_t word = 0;
    const size_t size = bytes.size() < sizeof(word) ? bytes.size() : sizeof(word);
    std::memcpy(&word, bytes.data(), size);
    state = mix(state ^ word) + 0x9e3779b97f4a7c15;
    bytes.remove_prefix(size);
  }
  return state;
}

}  // namespace

FingerprintSet::FingerprintSet() : seed_(make_rng()()), slots_(kFirstSlots) {}

uint64_t FingerprintSet::fingerprint(std::string_view key, std::string_view tail) const {
  const uint64_t out = absorb(absorb(seed_, key), tail);
  return out != 0 ? out : 1;
}

// Where it is, or the free one where it would be.
size_t FingerprintSet::slot_of(uint64_t fingerprint) const {
  const size_t mask = slots_.size() - 1;
  size_t slot = fingerprint & mask;
  while (slots_[slot] != 0 && slots_[slot] != fingerprint) slot = (slot + 1) & mask;
  return slot;
}

bool FingerprintSet::insert(std::string_view key, std::string_view tail) {
  const uint64_t wanted = fingerprint(key, tail);
  size_t slot = slot_of(wanted);
  if (slots_[slot] != 0) return false;
  slots_[slot] = wanted;
  if (++size_ * 4 > slots_.size() * 3) grow();
  return true;
}

bool FingerprintSet::contains(std::string_view key, std::string_view tail) const {
  return slots_[slot_of(fingerprint(key, tail))] != 0;
}

void FingerprintSet::grow() {
  std::vector<uint64_t> old(slots_.size() * 2);
  old.swap(slots_);
  for (const uint64_t one : old) {
    if (one != 0) slots_[slot_of(one)] = one;
  }
}

}  // namespace ipnscast::sync
