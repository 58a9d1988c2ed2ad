#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <sodium/crypto_sign.h>

#include <memory>
#include <optional>

#include "ipnscast/nostr/base/sha256.h"
#include "ipnscast/sync/ipfs/ipld/protobuf.h"
#include "ipnscast/sync/ipfs/ipns/ipns_name.h"
#include "ipnscast/sync/ipfs/ipns/secp256k1_context.h"

namespace ipnscast::sync {
namespace {

constexpr int kMinRsaBits = 2048;
constexpr int kMaxRsaBits = 8192;

Status bad_signature() { return fail(Errc::signature, "the signature is not this key's"); }

Status verify_ed25519(ByteView key, ByteView message, ByteView signature) {
  if (key.size() != crypto_sign_PUBLICKEYBYTES) return fail(Errc::parse, "key: want 32 bytes");
  if (signature.size() != crypto_sign_BYTES) return bad_signature();
  // Refuses S beyond the group order and keys of small order.
  if (crypto_sign_verify_detached(signature.data(), message.data(), message.size(), key.data()) !=
      0) {
    return bad_signature();
  }
  return {};
}

Status verify_secp256k1(ByteView key, ByteView message, ByteView signature) {
  secp256k1_pubkey point;
  if (key.size() != 33 || secp256k1_ec_pubkey_parse(secp256k1(), &point, key.data(), 33) != 1) {
    return fail(Errc::parse, "key: not a compressed point of secp256k1");
  }
  secp256k1_ecdsa_signature parsed;
  if (signature.empty() || secp256k1_ecdsa_signature_parse_der(
                               secp256k1(), &parsed, signature.data(), signature.size()) != 1) {
    return bad_signature();
  }
  // The library verifies low S only; other implementations write either.
  secp256k1_ecdsa_signature_normalize(secp256k1(), &parsed, &parsed);
  const Digest32 digest = sha256(message);
  if (secp256k1_ecdsa_verify(secp256k1(), &parsed, digest.data(), &point) != 1) {
    return bad_signature();
  }
  return {};
}

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using EvpKey = std::unique_ptr<EVP_PKEY, FreeKey>;

struct FreeDigest {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

bool is_p256(const EVP_PKEY* key) {
  char group[32] = {};
  return EVP_PKEY_get_group_name(key, group, sizeof(group), nullptr) == 1 &&
         (std::string_view(group) == "prime256v1" || std::string_view(group) == "P-256");
}

// RSA and ECDSA keys come as a DER SubjectPublicKeyInfo.
Status verify_spki(KeyType type, ByteView der, ByteView message, ByteView signature) {
  const uint8_t* at = der.data();
  const EvpKey key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
  if (!key || at != der.data() + der.size()) return fail(Errc::parse, "key: bad DER");
  if (type == KeyType::rsa) {
    if (EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA) return fail(Errc::parse, "key: not RSA");
    const int bits = EVP_PKEY_get_bits(key.get());
    if (bits < kMinRsaBits || bits > kMaxRsaBits) {
      return fail(Errc::unsupported, "key: RSA of " + std::to_string(bits) + " bits");
    }
  } else if (EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_EC || !is_p256(key.get())) {
    return fail(Errc::unsupported, "key: ECDSA on another curve than P-256");
  }
  // PKCS#1 v1.5 is the default padding for RSA.
  const std::unique_ptr<EVP_MD_CTX, FreeDigest> context(EVP_MD_CTX_new());
  if (!context ||
      EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) != 1) {
    return fail(Errc::internal, "libcrypto refused to verify");
  }
  if (EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                       message.size()) != 1) {
    return bad_signature();
  }
  return {};
}

}  // namespace

Bytes IpnsPublicKey::encode() const {
  Bytes out;
  append_uint_field(out, 1, static_cast<uint64_t>(type));
  append_bytes_field(out, 2, data);
  return out;
}

Result<IpnsPublicKey> IpnsPublicKey::decode(ByteView bytes) {
  const auto key_type = take_strict_field(bytes);
  if (!key_type) return fail(key_type.error().within("key"));
  if (key_type->number != 1 || key_type->is_bytes) return fail(Errc::parse, "key: type is missing");
  if (key_type->value > static_cast<uint64_t>(KeyType::ecdsa)) {
    return fail(Errc::parse, "key: unknown type");
  }
  const auto data = take_strict_field(bytes);
  if (!data) return fail(data.error().within("key"));
  if (data->number != 2 || !data->is_bytes) return fail(Errc::parse, "key: data is missing");
  if (!bytes.empty()) return fail(Errc::parse, "key: bytes left over");
  return IpnsPublicKey{static_cast<KeyType>(key_type->value), to_bytes(data->bytes)};
}

Result<IpnsPublicKey> IpnsPublicKey::read(ByteView bytes) {
  std::optional<uint64_t> type;
  std::optional<ByteView> data;
  while (!bytes.empty()) {
    const auto field = take_field(bytes);
    if (!field) return fail(field.error().within("key"));
    if (field->is_other) continue;
    const bool is_known = field->value <= static_cast<uint64_t>(KeyType::ecdsa);
    if (field->number == 1 && !field->is_bytes && is_known) type = field->value;
    if (field->number == 2 && field->is_bytes) data = field->bytes;
  }
  if (!type) return fail(Errc::parse, "key: type is missing or unknown");
  if (!data) return fail(Errc::parse, "key: data is missing");
  return IpnsPublicKey{static_cast<KeyType>(*type), to_bytes(*data)};
}

Status IpnsPublicKey::verify(ByteView message, ByteView signature) const {
  switch (type) {
    case KeyType::ed25519:
      return verify_ed25519(data, message, signature);
    case KeyType::secp256k1:
      return verify_secp256k1(data, message, signature);
    case KeyType::rsa:
    case KeyType::ecdsa:
      return verify_spki(type, data, message, signature);
  }
  return fail(Errc::unsupported, "key: unknown type");
}

}  // namespace ipnscast::sync
