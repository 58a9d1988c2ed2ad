#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "ipnscast/nostr/base/bytes.h"

namespace ipnscast {

// Memory that holds a secret: left out of core dumps, kept out of swap as far as the system lets us
// (RLIMIT_MEMLOCK), wiped at the end. Moved, never copied. The static functions are thread-safe.
class SecretMemory {
 public:
  SecretMemory() = default;  // none
  // `size` zero bytes. Throws std::bad_alloc.
  explicit SecretMemory(size_t size);
  SecretMemory(SecretMemory&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  SecretMemory& operator=(SecretMemory&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  SecretMemory(const SecretMemory&) = delete;
  SecretMemory& operator=(const SecretMemory&) = delete;
  ~SecretMemory();

  ByteView view() const { return bytes_; }
  std::span<uint8_t> mutable_view() { return bytes_; }

 private:
  std::span<uint8_t> bytes_;
};

}  // namespace ipnscast
