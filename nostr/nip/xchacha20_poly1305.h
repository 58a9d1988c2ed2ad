#pragma once

#include "ipnscast/nostr/base/result.h"
#include "ipnscast/nostr/base/secret/secret_bytes.h"

// XChaCha20-Poly1305 of draft-irtf-cfrg-xchacha-03. libcrypto has ChaCha20-Poly1305 (RFC 8439); the
// step from 24 bytes of nonce to its 12 is HChaCha20. Private to this layer.
namespace ipnscast::nostr {

// The key that HChaCha20 makes of a key and 16 bytes of nonce. Public for the draft's vector.
SecretBytes<32> hchacha20(ByteView key32, ByteView nonce16);

// The ciphertext, 16 bytes of tag at its end.
Bytes xchacha20_poly1305_seal(ByteView key32, ByteView nonce24, ByteView associated,
                              ByteView plaintext);

// Errc::signature when the tag does not hold; it is compared in constant time. The caller wipes
// what comes back.
Result<Bytes> xchacha20_poly1305_open(ByteView key32, ByteView nonce24, ByteView associated,
                                      ByteView sealed);

}  // namespace ipnscast::nostr
