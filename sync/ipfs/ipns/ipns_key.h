#pragma once

#include "ipnscast/nostr/base/secret/secret_bytes.h"
#include "ipnscast/sync/ipfs/ipns/ipns_name.h"

namespace ipnscast::sync {

// A secret key that signs IPNS records: Ed25519 (32 bytes of seed) or secp256k1 (32 bytes).
class IpnsKey {
 public:
  // Errc::unsupported for other types, Errc::invalid for a number that is no key.
  static Result<IpnsKey> from_bytes(KeyType type, ByteView secret32);
  // Ed25519 with seed = HKDF-SHA256(secret, no salt, info "ipfs-storage-ed25519-v1"): the default
  // for a Nostr key.
  static Result<IpnsKey> derive_ed25519(ByteView nostr_secret32);
  // The Nostr key itself: signs with d or n - d, whichever has the even y, so that the name follows
  // from the npub.
  static Result<IpnsKey> from_nostr_secret(ByteView nostr_secret32);

  IpnsKey clone() const { return IpnsKey(type_, secret_.clone(), public_key_); }
  KeyType type() const { return type_; }
  const IpnsPublicKey& public_key() const { return public_key_; }
  IpnsName name() const { return IpnsName::from_key(public_key_); }
  Bytes sign(ByteView message) const;
  ByteView secret_view() const { return secret_.view(); }

 private:
  IpnsKey(KeyType type, SecretBytes<32> secret, IpnsPublicKey public_key)
      : type_(type), secret_(std::move(secret)), public_key_(std::move(public_key)) {}
  KeyType type_;
  SecretBytes<32> secret_;
  IpnsPublicKey public_key_;
};

}  // namespace ipnscast::sync
