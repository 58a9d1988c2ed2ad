#pragma once

#include <string>
#include <string_view>

#include "ipnscast/nostr/base/bytes.h"
#include "ipnscast/nostr/base/result.h"

namespace ipnscast {

// RFC 4648 section 4, with padding.
std::string to_base64(ByteView bytes);

// Strict: padded, no white space, no stray bits in the last character. Errc::parse,
// Errc::too_large.
Result<Bytes> from_base64(std::string_view text, size_t max_bytes);

}  // namespace ipnscast
