#pragma once

#include <functional>
#include <memory>

#include "ipnscast/nostr/base/secret/secret_bytes.h"
#include "ipnscast/sync/ipfs/ipns/ipns_name.h"

namespace ipnscast::sync {

// A secret key that signs IPNS records: Ed25519 (32 bytes of seed) or secp256k1 (32 bytes). It may
// be elsewhere: then whoever has it is asked for each signature.
class IpnsKey {
 public:
  // Waits for a signature of the message, which holds for the public key. Any thread.
  using AskToSign = std::function<Result<Bytes>(ByteView message)>;

  // Errc::unsupported for other types, Errc::invalid for a number that is no key.
  static Result<IpnsKey> from_bytes(KeyType type, ByteView secret32);
  // Ed25519 with seed = HKDF-SHA256(secret, no salt, info "ipfs-storage-ed25519-v1"): the default
  // for a Nostr key.
  static Result<IpnsKey> derive_ed25519(ByteView nostr_secret32);
  // The Nostr key itself: signs with d or n - d, whichever has the even y, so that the name follows
  // from the npub.
  static Result<IpnsKey> from_nostr_secret(ByteView nostr_secret32);

  // A key that another process has. `device_secret`: what that one's device_secret() is.
  static IpnsKey elsewhere(IpnsPublicKey public_key, SecretBytes<32> device_secret, AskToSign ask);

  IpnsKey clone() const;
  KeyType type() const { return public_key_.type; }
  bool is_elsewhere() const { return ask_ != nullptr; }
  const IpnsPublicKey& public_key() const { return public_key_; }
  IpnsName name() const { return IpnsName::from_key(public_key_); }
  // Errors of whoever has a key that is elsewhere; Errc::signature when what they gave does not
  // hold. A key that is here always signs.
  Result<Bytes> sign(ByteView message) const;
  // What the tags of devices that write this key's name are made of. It is no key: nothing can be
  // signed with it.
  SecretBytes<32> device_secret() const;
  // Not of a key that is elsewhere.
  ByteView secret_view() const { return secret_.view(); }

 private:
  IpnsKey(SecretBytes<32> secret, IpnsPublicKey public_key)
      : secret_(std::move(secret)), public_key_(std::move(public_key)) {}
  Bytes sign_here(ByteView message) const;

  SecretBytes<32> secret_;  // of a key that is elsewhere, its device_secret()
  IpnsPublicKey public_key_;
  std::shared_ptr<const AskToSign> ask_;  // null: the key is here
};

}  // namespace ipnscast::sync
