#pragma once

#include <memory>

#include "ipnscast/nostr/event/event.h"

namespace ipnscast::nostr {

// Verifies signatures (BIP-340) and keeps the public keys of recent authors in the form that
// libsecp256k1 computes with: finding it takes a square root, about a tenth of a verification.
// 128 bytes a key, `capacity` keys; authors that share a place take turns. Owned by one thread.
class KeyCache {
 public:
  explicit KeyCache(size_t capacity = 4096);
  ~KeyCache();
  KeyCache(KeyCache&&) noexcept;

  // True when the signature over `message` holds for this x-only key. The same answer as
  // verify_schnorr().
  bool verify(const PublicKey& key, ByteView message, const Signature& signature);

 private:
  struct Place;
  // constant after construction
  size_t capacity_;
  std::unique_ptr<Place[]> places_;
};

}  // namespace ipnscast::nostr
