#pragma once

#include <span>

#include "ipnscast/nostr/base/bytes.h"
#include "ipnscast/nostr/base/result.h"

namespace ipnscast {

// Authenticated encryption with a key of 32 bytes, a nonce of 12 and a tag of 16 behind the
// ciphertext: RFC 8439 and NIST SP 800-38D, by libcrypto. A nonce is used once with a key.
enum class Aead { chacha20_poly1305, aes_256_gcm };

inline constexpr size_t kAeadNonce = 12;
inline constexpr size_t kAeadTag = 16;

// Into `out`, which has kAeadTag bytes more than `plain`; both below 2 GiB. `associated` is
// authenticated and not encrypted.
void aead_seal(Aead cipher, ByteView key32, ByteView nonce, ByteView associated, ByteView plain,
               std::span<uint8_t> out);

// Errc::signature when it was not sealed like this, or is too short or too long.
Result<Bytes> aead_open(Aead cipher, ByteView key32, ByteView nonce, ByteView associated,
                        ByteView sealed);

}  // namespace ipnscast
