#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace ipnscast::sync {

// Which keys were seen, by a fingerprint of 64 bits each: 8 to 24 bytes for one, where a set of
// strings takes a hundred. Two keys out of a million share one in 1 of 30 million sets, and what
// was mixed in is different for each set: the walk that missed a block once finds it the next
// time. Not for what must be told apart for certain.
class FingerprintSet {
 public:
  FingerprintSet();

  // False when it was there already. `tail` is a part of the key.
  bool insert(std::string_view key, std::string_view tail = {});
  bool contains(std::string_view key, std::string_view tail = {}) const;
  size_t size() const { return size_; }

 private:
  uint64_t fingerprint(std::string_view key, std::string_view tail) const;
  size_t slot_of(uint64_t fingerprint) const;
  void grow();

  const uint64_t seed_;
  std::vector<uint64_t> slots_;  // a power of two of them, 0: free
  size_t size_ = 0;
};

}  // namespace ipnscast::sync
