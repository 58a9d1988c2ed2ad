#include <array>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/random.h"
#include "ipnscast/nostr/event/nip19.h"
#include "ipnscast/sync/keys/key_store.h"

namespace ipnscast::sync {

std::string_view to_string(StoredKeyType type) {
  switch (type) {
    case StoredKeyType::nostr:
      return "nostr";
    case StoredKeyType::ed25519:
      return "ed25519";
    case StoredKeyType::secp256k1:
      return "secp256k1";
  }
  return "nostr";
}

Result<StoredKeyType> parse_key_type(std::string_view text) {
  for (const auto type : {StoredKeyType::nostr, StoredKeyType::ed25519, StoredKeyType::secp256k1}) {
    if (text == to_string(type)) return type;
  }
  return fail(Errc::invalid, "key type: want nostr, ed25519 or secp256k1");
}

Result<StoredKey> StoredKey::from_bytes(StoredKeyType type, ByteView secret32) {
  if (secret32.size() != 32) return fail(Errc::invalid, "secret key: want 32 bytes");
  // Any 32 bytes are an Ed25519 seed; the curve's numbers have bounds.
  if (type != StoredKeyType::ed25519) {
    if (auto key = nostr::SecretKey::from_bytes(secret32); !key)
      return fail(std::move(key.error()));
  }
  return StoredKey(type, SecretBytes<32>::from(secret32));
}

Result<StoredKey> StoredKey::from_text(StoredKeyType type, std::string_view text) {
  if (type == StoredKeyType::nostr) {
    auto key = nostr::SecretKey::parse(text);
    if (!key) return fail(std::move(key.error()));
    return from_bytes(type, key->secret_view());
  }
  auto bytes = text.size() == 64 ? from_hex(text) : fail(Errc::parse, "");
  if (!bytes) return fail(Errc::parse, "secret key: want 64 hex digits");
  auto key = from_bytes(type, *bytes);
  wipe(*bytes);
  return key;
}

StoredKey StoredKey::generate(StoredKeyType type) {
  if (type != StoredKeyType::ed25519) {
    return StoredKey(type, SecretBytes<32>::from(nostr::SecretKey::generate().secret_view()));
  }
  SecretBytes<32> seed;
  fill_random(seed.mutable_view());
  return StoredKey(type, std::move(seed));
}

Result<IpnsKey> StoredKey::ipns_key() const {
  switch (type_) {
    case StoredKeyType::nostr:
      return IpnsKey::derive_ed25519(secret_.view());
    case StoredKeyType::ed25519:
      return IpnsKey::from_bytes(KeyType::ed25519, secret_.view());
    case StoredKeyType::secp256k1:
      return IpnsKey::from_bytes(KeyType::secp256k1, secret_.view());
  }
  return fail(Errc::internal, "key: unknown type");
}

Result<nostr::SecretKey> StoredKey::nostr_key() const {
  if (type_ != StoredKeyType::nostr) {
    return fail(Errc::unsupported,
                "an " + std::string(to_string(type_)) + " key signs records, not Nostr events");
  }
  return nostr::SecretKey::from_bytes(secret_.view());
}

std::string StoredKey::to_line() const {
  if (type_ != StoredKeyType::nostr) return to_hex(secret_.view());
  const auto key = nostr::SecretKey::from_bytes(secret_.view());
  return key ? nostr::encode_nsec(*key) : to_hex(secret_.view());
}

}  // namespace ipnscast::sync
