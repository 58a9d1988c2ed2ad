#pragma once

#include <string>
#include <string_view>

#include "ipnscast/nostr/base/bytes.h"
#include "ipnscast/nostr/base/result.h"

namespace ipnscast::nostr {

struct Bech32 {
  std::string prefix;  // lower case
  Bytes data;
};

// BIP-173 (not bech32m) without its limit of 90 characters, as NIP-19 uses it. `max_size` bounds
// the text. Errc::parse for a wrong checksum, mixed case or stray bits; Errc::too_large.
Result<Bech32> decode_bech32(std::string_view text, size_t max_size);

// `prefix` in lower case.
std::string encode_bech32(std::string_view prefix, ByteView data);

}  // namespace ipnscast::nostr
