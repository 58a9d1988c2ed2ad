#include "ipnscast/nostr/verify/key_cache.h"

#include <secp256k1_schnorrsig.h>

namespace ipnscast::nostr {

// The key in one cache line and what it stands for in the next.
struct alignas(64) KeyCache::Place {
  PublicKey key;
  bool taken = false;
  alignas(64) secp256k1_xonly_pubkey parsed{};
};

KeyCache::KeyCache(size_t capacity)
    : capacity_(std::max<size_t>(1, capacity)), places_(std::make_unique<Place[]>(capacity_)) {}

KeyCache::~KeyCache() = default;
KeyCache::KeyCache(KeyCache&&) noexcept = default;

bool KeyCache::verify(const PublicKey& key, ByteView message, const Signature& signature) {
  // Verifying needs no secret and so none of the context's blinding.
  const secp256k1_context* const context = secp256k1_context_static;
  Place& place = places_[std::hash<PublicKey>()(key) % capacity_];
  if (!place.taken || place.key != key) {
    secp256k1_xonly_pubkey parsed;
    if (secp256k1_xonly_pubkey_parse(context, &parsed, key.bytes.data()) != 1) return false;
    place = {key, true, parsed};
  }
  return secp256k1_schnorrsig_verify(context, signature.bytes.data(), message.data(),
                                     message.size(), &place.parsed) == 1;
}

}  // namespace ipnscast::nostr
