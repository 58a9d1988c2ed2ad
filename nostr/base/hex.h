#pragma once

#include <string>
#include <string_view>

#include "ipnscast/nostr/base/bytes.h"
#include "ipnscast/nostr/base/result.h"

namespace ipnscast {

// Lower-case hex, two digits a byte.
std::string to_hex(ByteView bytes);

// Writes 2 * bytes.size() lower-case digits to out.
void write_hex(ByteView bytes, char* out);

// Either case. Errc::parse for an odd length or another character.
Result<Bytes> from_hex(std::string_view text);

// Strict, as NIP-01 wants ids and keys: exactly 2 * out.size() lower-case digits. False otherwise.
bool read_lower_hex(std::string_view text, std::span<uint8_t> out);

// The same for a FixedBytes type; `what` starts the error message ("id: want 64 lower-case hex
// digits").
template <typename Fixed>
Result<Fixed> fixed_from_hex(std::string_view text, std::string_view what) {
  Fixed out;
  if (!read_lower_hex(text, out.bytes)) {
    return fail(Errc::parse, std::string(what) + ": want " + std::to_string(2 * Fixed::kSize) +
                                 " lower-case hex digits");
  }
  return out;
}

}  // namespace ipnscast
