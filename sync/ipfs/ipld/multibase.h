#pragma once

#include <string>
#include <string_view>

#include "ipnscast/nostr/base/bytes.h"
#include "ipnscast/nostr/base/result.h"

namespace ipnscast::sync {

// Text encodings of bytes, by the character that stands before the text. base256emoji is not among
// them.
enum class Base : char {
  identity = '\0',
  base2 = '0',
  base8 = '7',
  base10 = '9',
  base16 = 'f',
  base16_upper = 'F',
  base32 = 'b',
  base32_upper = 'B',
  base32_pad = 'c',
  base32_pad_upper = 'C',
  base32_hex = 'v',
  base32_hex_upper = 'V',
  base32_hex_pad = 't',
  base32_hex_pad_upper = 'T',
  base32_z = 'h',
  base36 = 'k',
  base36_upper = 'K',
  base58_btc = 'z',
  base58_flickr = 'Z',
  base64 = 'm',
  base64_pad = 'M',
  base64_url = 'u',
  base64_url_pad = 'U',
};

struct MultibaseText {
  Base base = Base::identity;
  Bytes bytes;
};

// With the base's prefix character.
std::string multibase_encode(Base base, ByteView bytes);

// Strict: no stray bits, padding exactly where the base has it, no white space. Bases 16, 32 (but
// z) and 36 take either case. Text of bases 10, 36 and 58 is at most 1,024 characters, as their
// arithmetic is quadratic. Errc::parse, Errc::unsupported for an unknown prefix, Errc::too_large.
Result<MultibaseText> multibase_decode(std::string_view text);

// The same without the prefix character.
std::string base_encode(Base base, ByteView bytes);
Result<Bytes> base_decode(Base base, std::string_view text);

}  // namespace ipnscast::sync
