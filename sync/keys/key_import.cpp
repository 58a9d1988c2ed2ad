#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <memory>

#include "ipnscast/nostr/base/base64.h"
#include "ipnscast/nostr/base/file/secret_file.h"
#include "ipnscast/nostr/base/text/blanks.h"
#include "ipnscast/sync/ipfs/ipld/protobuf.h"
#include "ipnscast/sync/keys/key_store.h"

namespace ipnscast::sync {
namespace {

constexpr size_t kMaxFile = 64 * 1024;

constexpr std::string_view kPublic =
    "this is a public key, with which nothing can be signed: give the file with the private one";

// A secret with the public key that stands beside it.
Result<StoredKey> ed25519_with_public(ByteView secret, ByteView public_key) {
  auto key = StoredKey::from_bytes(StoredKeyType::ed25519, secret);
  if (!key) return key;
  const auto ipns = key->ipns_key();
  if (!ipns || !std::ranges::equal(public_key, ipns->public_key().data))
    return fail(Errc::mismatch, "key file: its public key is not that of its secret");
  return key;
}

// libp2p's PrivateKey {1: Type, 2: Data}. Ed25519 data is the seed and the public key, which old
// files repeat.
Result<StoredKey> from_libp2p(ByteView bytes) {
  std::optional<uint64_t> type;
  ByteView data;
  while (!bytes.empty()) {
    const auto field = take_strict_field(bytes);
    if (!field) return fail(Errc::parse, "key file: want nsec, 64 hex digits, a libp2p key or PEM");
    if (field->number == 1 && !field->is_bytes) type = field->value;
    if (field->number == 2 && field->is_bytes) data = field->bytes;
  }
  const bool is_point = type == static_cast<uint64_t>(KeyType::secp256k1) && data.size() == 33;
  const bool is_public = type == static_cast<uint64_t>(KeyType::ed25519) && data.size() == 32;
  if (is_point || is_public) return fail(Errc::parse, "key file: " + std::string(kPublic));
  if (type == static_cast<uint64_t>(KeyType::secp256k1))
    return StoredKey::from_bytes(StoredKeyType::secp256k1, data);
  if (type != static_cast<uint64_t>(KeyType::ed25519)) {
    return fail(Errc::unsupported, "key file: only Ed25519 and secp256k1 keys are taken");
  }
  if (data.size() != 64 && data.size() != 96)
    return fail(Errc::parse, "key file: want 64 or 96 bytes of Ed25519 key");
  if (data.size() == 96 && !std::ranges::equal(data.subspan(32, 32), data.subspan(64)))
    return fail(Errc::mismatch, "key file: it holds two different public keys");
  return ed25519_with_public(data.first(32), data.subspan(32, 32));
}

using PemKey = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

// Never asks anybody: a file with a passphrase is refused.
int no_passphrase(char*, int, int, void*) { return -1; }

PemKey read_pem(std::string_view text) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(
      BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free);
  return {PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr), &EVP_PKEY_free};
}

Result<StoredKey> from_ec_pem(const EVP_PKEY* key) {
  char group[32] = {};
  BIGNUM* number = nullptr;
  SecretBytes<32> secret;
  if (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group),
                                     nullptr) != 1 ||
      std::string_view(group) != "secp256k1" ||
      EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &number) != 1) {
    return fail(Errc::unsupported, "PEM: want an Ed25519 or secp256k1 key");
  }
  const int written = BN_bn2binpad(number, secret.mutable_view().data(), 32);
  BN_clear_free(number);
  if (written != 32) return fail(Errc::invalid, "PEM: want 32 bytes of key");
  return StoredKey::from_bytes(StoredKeyType::secp256k1, secret.view());
}

// An Ed25519 key of PKCS#8 version 2, which has its public key beside it and which OpenSSL 3.0 does
// not read (RFC 8410, 10.3). Nothing for anything else.
std::optional<Result<StoredKey>> from_pkcs8_v2(std::string_view text) {
  // SEQUENCE { INTEGER 1, SEQUENCE { id-Ed25519 }, OCTET STRING { OCTET STRING of 32 bytes }, then
  // [0] attributes, which may be missing, and [1] a bit string of 32 bytes }
  constexpr std::array<uint8_t, 14> kFront = {0x02, 0x01, 0x01, 0x30, 0x05, 0x06, 0x03,
                                              0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};
  constexpr std::array<uint8_t, 3> kPublicFront = {0x81, 0x21, 0x00};
  const std::string_view begin = "-----BEGIN PRIVATE KEY-----";
  const size_t from = text.find(begin);
  const size_t to = text.find("-----END PRIVATE KEY-----");
  if (from == text.npos || to == text.npos || to < from) return std::nullopt;
  std::string packed;
  for (const char c : text.substr(from + begin.size(), to - from - begin.size())) {
    if (c != '\n' && c != '\r' && c != ' ' && c != '\t') packed += c;
  }
  auto der = from_base64(packed, kMaxFile);
  wipe_text(packed);
  if (!der) return std::nullopt;
  std::optional<Result<StoredKey>> out;
  const ByteView rest = ByteView(*der).subspan(std::min<size_t>(der->size(), 2));
  const bool whole = der->size() < 128 && rest.size() >= 46 && (*der)[0] == 0x30 &&
                     (*der)[1] == rest.size() && std::ranges::equal(rest.first(14), kFront);
  if (whole) {
    const ByteView secret = rest.subspan(14, 32);
    ByteView behind = rest.subspan(46);
    if (behind.size() >= 2 && behind[0] == 0xa0 && behind.size() >= 2u + behind[1])
      behind = behind.subspan(2u + behind[1]);
    if (behind.empty()) {
      out = StoredKey::from_bytes(StoredKeyType::ed25519, secret);
    } else if (behind.size() == 35 && std::ranges::equal(behind.first(3), kPublicFront)) {
      out = ed25519_with_public(secret, behind.subspan(3));
    } else {  // newer versions of OpenSSL would pass over it
      out = fail(Errc::parse, "what stands beside its secret is no Ed25519 public key");
    }
  }
  wipe(*der);
  return out;
}

// What a PEM file is that holds no private key for us.
Error no_private_key(std::string_view text) {
  const auto holds = [&](std::string_view words) { return text.find(words) != text.npos; };
  if (holds("BEGIN OPENSSH PRIVATE KEY"))
    return {Errc::unsupported,
            "PEM: a key of OpenSSH, which no IPNS name has: want an Ed25519 or "
            "secp256k1 key, as \"ipfs key export\" writes it"};
  if (holds("ENCRYPTED"))
    return {Errc::parse,
            "PEM: the key is locked with a passphrase: unlock it first, with "
            "\"openssl pkey -in FILE -out PLAIN\""};
  if (holds("PRIVATE KEY-----")) return {Errc::parse, "PEM: the private key in it is damaged"};
  if (holds("PUBLIC KEY-----")) return {Errc::parse, "PEM: " + std::string(kPublic)};
  if (holds("BEGIN CERTIFICATE"))
    return {Errc::parse, "PEM: this is a certificate: give the file with the private key"};
  return {Errc::parse, "PEM: no private key in it"};
}

Result<StoredKey> from_pem(std::string_view text) {
  if (auto key = from_pkcs8_v2(text)) return std::move(*key);
  const PemKey key = read_pem(text);
  if (!key) return fail(no_private_key(text));
  if (EVP_PKEY_is_a(key.get(), "EC") == 1) return from_ec_pem(key.get());
  SecretBytes<32> secret;
  size_t size = 32;
  if (EVP_PKEY_is_a(key.get(), "ED25519") != 1 ||
      EVP_PKEY_get_raw_private_key(key.get(), secret.mutable_view().data(), &size) != 1) {
    return fail(Errc::unsupported, "PEM: want an Ed25519 or secp256k1 key");
  }
  return StoredKey::from_bytes(StoredKeyType::ed25519, secret.view());
}

}  // namespace

Result<StoredKey> import_key(std::string_view file, StoredKeyType hex_type) {
  if (file.size() > kMaxFile) return fail(Errc::too_large, "key file: too large");
  const std::string_view text = without_space(file);
  if (text.starts_with("nsec1")) return StoredKey::from_text(StoredKeyType::nostr, text);
  if (auto key = StoredKey::from_text(hex_type, text)) return key;
  if (text.find("-----BEGIN") != std::string_view::npos) return from_pem(text);
  if (auto decoded = from_base64(text, kMaxFile)) {
    // The type comes first in a libp2p key.
    const bool is_key = !decoded->empty() && decoded->front() == 0x08;
    auto key = from_libp2p(*decoded);
    wipe(*decoded);
    if (key || is_key) return key;
  }
  return from_libp2p(as_bytes(file));
}

}  // namespace ipnscast::sync
