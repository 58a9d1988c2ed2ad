#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>

#include "ipnscast/nostr/base/base64.h"
#include "ipnscast/sync/ipfs/ipld/protobuf.h"
#include "ipnscast/sync/keys/key_store.h"

namespace ipnscast::sync {
namespace {

constexpr size_t kMaxFile = 64 * 1024;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
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
  if (type == static_cast<uint64_t>(KeyType::secp256k1))
    return StoredKey::from_bytes(StoredKeyType::secp256k1, data);
  if (type != static_cast<uint64_t>(KeyType::ed25519)) {
    return fail(Errc::unsupported, "key file: only Ed25519 and secp256k1 keys are taken");
  }
  if (data.size() != 64 && data.size() != 96)
    return fail(Errc::parse, "key file: want 64 or 96 bytes of Ed25519 key");
  auto key = StoredKey::from_bytes(StoredKeyType::ed25519, data.first(32));
  if (!key) return key;
  const auto ipns = key->ipns_key();
  const bool same =
      ipns && std::equal(data.begin() + 32, data.begin() + 64, ipns->public_key().data.begin(),
                         ipns->public_key().data.end());
  if (!same) return fail(Errc::mismatch, "key file: its public key is not that of its secret");
  return key;
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

Result<StoredKey> from_pem(std::string_view text) {
  const PemKey key = read_pem(text);
  if (!key) return fail(Errc::parse, "PEM: no private key that opens without a passphrase");
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
  const std::string_view text = trimmed(file);
  if (text.starts_with("nsec1")) return StoredKey::from_text(StoredKeyType::nostr, text);
  if (auto key = StoredKey::from_text(hex_type, text)) return key;
  if (text.find("-----BEGIN") != std::string_view::npos) return from_pem(text);
  if (auto decoded = from_base64(text, kMaxFile)) {
    auto key = from_libp2p(*decoded);
    wipe(*decoded);
    if (key) return key;
  }
  return from_libp2p(as_bytes(file));
}

}  // namespace ipnscast::sync
