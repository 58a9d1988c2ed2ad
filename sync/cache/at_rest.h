#pragma once

#include "ipnscast/nostr/base/result.h"
#include "ipnscast/nostr/base/secret/secret_bytes.h"

namespace ipnscast::sync {

// AES-256-GCM (NIST SP 800-38D) for what we keep on disk: 12 random bytes of nonce, the ciphertext,
// 16 bytes of tag. Thread-safe.
class AtRest {
 public:
  static constexpr size_t kOverhead = 12 + 16;

  explicit AtRest(SecretBytes<32> key) : key_(std::move(key)) {}

  // `place` is where it is kept: sealed bytes open nowhere else. At most 2^32 times with one key.
  Bytes seal(ByteView plain, ByteView place) const;
  // Errc::signature when these are not bytes that this key sealed for this place.
  Result<Bytes> open(ByteView sealed, ByteView place) const;

 private:
  const SecretBytes<32> key_;
};

}  // namespace ipnscast::sync
