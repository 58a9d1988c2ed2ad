#pragma once

#include <array>
#include <utility>

#include "ipnscast/nostr/base/bytes.h"

namespace ipnscast {

// N secret bytes: moved, never copied, wiped at the end, never printed. view() is for the one call
// that needs them.
template <size_t N>
class SecretBytes {
 public:
  SecretBytes() = default;
  // Takes exactly N bytes; the caller wipes its own copy.
  static SecretBytes from(ByteView view) {
    SecretBytes out;
    std::copy_n(view.begin(), std::min(view.size(), N), out.bytes_.begin());
    return out;
  }
  SecretBytes(SecretBytes&& other) noexcept : bytes_(other.bytes_) { wipe(other.bytes_); }
  SecretBytes& operator=(SecretBytes&& other) noexcept {
    if (this != &other) {
      bytes_ = other.bytes_;
      wipe(other.bytes_);
    }
    return *this;
  }
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  ~SecretBytes() { wipe(bytes_); }

  // A second copy, made knowingly.
  SecretBytes clone() const { return from(bytes_); }
  ByteView view() const { return bytes_; }
  std::span<uint8_t> mutable_view() { return bytes_; }

 private:
  std::array<uint8_t, N> bytes_{};
};

}  // namespace ipnscast
