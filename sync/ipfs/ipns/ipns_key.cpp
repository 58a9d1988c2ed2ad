#include "ipnscast/sync/ipfs/ipns/ipns_key.h"

#include <sodium/crypto_sign.h>

#include "ipnscast/nostr/base/sha256.h"
#include "ipnscast/sync/ipfs/ipns/secp256k1_context.h"

namespace ipnscast::sync {
namespace {

constexpr std::string_view kDeriveInfo = "ipfs-storage-ed25519-v1";
constexpr std::string_view kDeviceTagInfo = "ipnscast-device-tag-v1";
constexpr uint8_t kOddY = 0x03;

// The compressed point; empty for a number that is no key.
Bytes secp256k1_point(ByteView secret) {
  secp256k1_pubkey point;
  if (secp256k1_ec_pubkey_create(secp256k1(), &point, secret.data()) != 1) return {};
  Bytes out(33);
  size_t size = out.size();
  secp256k1_ec_pubkey_serialize(secp256k1(), out.data(), &size, &point, SECP256K1_EC_COMPRESSED);
  return out;
}

struct Ed25519Pair {
  Bytes public_key = Bytes(crypto_sign_PUBLICKEYBYTES);
  SecretBytes<crypto_sign_SECRETKEYBYTES> secret;
};

Ed25519Pair ed25519_pair(ByteView seed) {
  Ed25519Pair out;
  crypto_sign_seed_keypair(out.public_key.data(), out.secret.mutable_view().data(), seed.data());
  return out;
}

}  // namespace

Result<IpnsKey> IpnsKey::from_bytes(KeyType type, ByteView secret32) {
  if (secret32.size() != 32) return fail(Errc::invalid, "secret: want 32 bytes");
  IpnsPublicKey public_key{type, {}};
  if (type == KeyType::ed25519) {
    public_key.data = ed25519_pair(secret32).public_key;
  } else if (type == KeyType::secp256k1) {
    public_key.data = secp256k1_point(secret32);
    if (public_key.data.empty()) return fail(Errc::invalid, "secret: no key of secp256k1");
  } else {
    return fail(Errc::unsupported, "secret: want Ed25519 or secp256k1");
  }
  return IpnsKey(SecretBytes<32>::from(secret32), std::move(public_key));
}

Result<IpnsKey> IpnsKey::derive_ed25519(ByteView nostr_secret32) {
  if (nostr_secret32.size() != 32) return fail(Errc::invalid, "secret: want 32 bytes");
  Bytes seed = hkdf_sha256(nostr_secret32, {}, as_bytes(kDeriveInfo), 32);
  auto out = from_bytes(KeyType::ed25519, seed);
  wipe(seed);
  return out;
}

Result<IpnsKey> IpnsKey::from_nostr_secret(ByteView nostr_secret32) {
  auto key = from_bytes(KeyType::secp256k1, nostr_secret32);
  if (!key || key->public_key_.data.front() != kOddY) return key;
  auto negated = SecretBytes<32>::from(nostr_secret32);
  if (secp256k1_ec_seckey_negate(secp256k1(), negated.mutable_view().data()) != 1) {
    return fail(Errc::internal, "secret: cannot be negated");
  }
  return from_bytes(KeyType::secp256k1, negated.view());
}

IpnsKey IpnsKey::elsewhere(IpnsPublicKey public_key, SecretBytes<32> device_secret, AskToSign ask) {
  IpnsKey out(std::move(device_secret), std::move(public_key));
  out.ask_ = std::make_shared<const AskToSign>(std::move(ask));
  return out;
}

IpnsKey IpnsKey::clone() const {
  IpnsKey out(secret_.clone(), public_key_);
  out.ask_ = ask_;
  return out;
}

SecretBytes<32> IpnsKey::device_secret() const {
  if (is_elsewhere()) return secret_.clone();
  Bytes secret = hkdf_sha256(secret_.view(), {}, as_bytes(kDeviceTagInfo), 32);
  auto out = SecretBytes<32>::from(secret);
  wipe(secret);
  return out;
}

Result<Bytes> IpnsKey::sign(ByteView message) const {
  if (!is_elsewhere()) return sign_here(message);
  auto signature = (*ask_)(message);
  if (!signature) return signature;
  if (auto holds = public_key_.verify(message, *signature); !holds) return fail(holds.error());
  return signature;
}

Bytes IpnsKey::sign_here(ByteView message) const {
  if (type() == KeyType::ed25519) {
    const Ed25519Pair pair = ed25519_pair(secret_.view());
    Bytes out(crypto_sign_BYTES);
    crypto_sign_detached(out.data(), nullptr, message.data(), message.size(),
                         pair.secret.view().data());
    return out;
  }
  // RFC 6979 nonce, low S, DER.
  const Digest32 digest = sha256(message);
  secp256k1_ecdsa_signature signature;
  secp256k1_ecdsa_sign(secp256k1(), &signature, digest.data(), secret_.view().data(), nullptr,
                       nullptr);
  Bytes out(72);
  size_t size = out.size();
  secp256k1_ecdsa_signature_serialize_der(secp256k1(), out.data(), &size, &signature);
  out.resize(size);
  return out;
}

}  // namespace ipnscast::sync
