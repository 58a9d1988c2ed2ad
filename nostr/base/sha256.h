#pragma once

#include <array>
#include <initializer_list>

#include "ipnscast/nostr/base/bytes.h"

namespace ipnscast {

using Digest32 = std::array<uint8_t, 32>;

// SHA-256 of one piece or of several in a row.
Digest32 sha256(ByteView bytes);
Digest32 sha256(std::initializer_list<ByteView> pieces);

// RFC 2104 with SHA-256.
Digest32 hmac_sha256(ByteView key, std::initializer_list<ByteView> pieces);

// RFC 5869 with SHA-256: extract, expand (size <= 8160), and both in a row.
Digest32 hkdf_extract(ByteView salt, ByteView key_material);
Bytes hkdf_expand(ByteView pseudo_random_key, ByteView info, size_t size);
Bytes hkdf_sha256(ByteView key_material, ByteView salt, ByteView info, size_t size);

}  // namespace ipnscast
