#pragma once

#include <algorithm>

#include "ipnscast/nostr/base/secret/secret_memory.h"

namespace ipnscast {

// N secret bytes in memory of their own (secret_memory.h): moved, never copied, never printed.
// view() is for the one call that needs them. One that was moved from has none.
template <size_t N>
class SecretBytes {
 public:
  SecretBytes() : memory_(N) {}
  // Takes exactly N bytes; the caller wipes its own copy.
  static SecretBytes from(ByteView view) {
    SecretBytes out;
    std::copy_n(view.begin(), std::min(view.size(), N), out.memory_.mutable_view().begin());
    return out;
  }

  // A second copy, made knowingly.
  SecretBytes clone() const { return from(view()); }
  ByteView view() const { return memory_.view(); }
  std::span<uint8_t> mutable_view() { return memory_.mutable_view(); }

 private:
  SecretMemory memory_;
};

}  // namespace ipnscast
