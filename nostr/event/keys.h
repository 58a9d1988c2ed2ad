#pragma once

#include "ipnscast/nostr/base/secret/secret_bytes.h"
#include "ipnscast/nostr/event/event.h"

namespace ipnscast::nostr {

// A secp256k1 key pair for Nostr. The secret lives in this object only and is wiped with it.
class SecretKey {
 public:
  static constexpr size_t kSize = 32;

  // From 32 bytes. Errc::invalid for zero or a number not below the curve order.
  static Result<SecretKey> from_bytes(ByteView bytes);
  // From text as a person writes it: 64 hex digits of either case, or nsec1... (NIP-19). White
  // space around is ignored.
  static Result<SecretKey> parse(std::string_view text);
  static SecretKey generate();

  SecretKey clone() const { return SecretKey(bytes_.clone(), public_key_); }
  const PublicKey& public_key() const { return public_key_; }
  // For derivations (HKDF, ECDH, record keys) and for writing key files. Never log it.
  ByteView secret_view() const { return bytes_.view(); }

  // BIP-340 over a 32-byte message with fresh auxiliary randomness.
  Signature sign(ByteView message32) const;
  // The same with given auxiliary randomness: for the official vectors.
  Signature sign_with_aux(ByteView message, ByteView aux32) const;
  // The shared point's x coordinate, unhashed (NIP-44). Errc::invalid when `other` is not on the
  // curve.
  Result<SecretBytes<32>> shared_x(const PublicKey& other) const;

 private:
  SecretKey(SecretBytes<32> bytes, PublicKey public_key)
      : bytes_(std::move(bytes)), public_key_(public_key) {}

  SecretBytes<32> bytes_;
  PublicKey public_key_;
};

// BIP-340 verification of a message of any length. False also when the key is not on the curve.
// Thread-safe.
bool verify_schnorr(const PublicKey& key, ByteView message, const Signature& signature);

// Fills in id, pubkey and signature. NIP-01.
Event sign_event(const SecretKey& key, const UnsignedEvent& event);

}  // namespace ipnscast::nostr
