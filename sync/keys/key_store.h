#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "ipnscast/nostr/base/secret/secret_text.h"
#include "ipnscast/nostr/event/keys.h"
#include "ipnscast/nostr/nip/nip49.h"
#include "ipnscast/sync/ipfs/ipns/ipns_key.h"

namespace ipnscast::sync {

// What a stored secret is. A Nostr key signs events and derives its IPNS keys; the other two sign
// records only.
enum class StoredKeyType { nostr, ed25519, secp256k1 };
std::string_view to_string(StoredKeyType type);
// "nostr", "ed25519", "secp256k1". Errc::invalid.
Result<StoredKeyType> parse_key_type(std::string_view text);

// 32 secret bytes and what they are.
class StoredKey {
 public:
  // Errc::invalid for bytes that are no such key.
  static Result<StoredKey> from_bytes(StoredKeyType type, ByteView secret32);
  // 64 hex digits, or nsec1... for type nostr. Errc::parse, Errc::invalid.
  static Result<StoredKey> from_text(StoredKeyType type, std::string_view text);
  static StoredKey generate(StoredKeyType type);

  StoredKeyType type() const { return type_; }
  ByteView secret_view() const { return secret_.view(); }
  // The key that signs this key's records: for a Nostr key the derived Ed25519 one.
  Result<IpnsKey> ipns_key() const;
  // Errc::unsupported when it is no Nostr key.
  Result<nostr::SecretKey> nostr_key() const;
  // The line of its secret file: nsec1... or 64 hex digits. The caller wipes it.
  std::string to_line() const;

 private:
  StoredKey(StoredKeyType type, SecretBytes<32> secret) : type_(type), secret_(std::move(secret)) {}
  StoredKeyType type_;
  SecretBytes<32> secret_;
};

// Reads a key as other programs export it: nsec1..., 64 hex digits (of `hex_type`), a libp2p
// private key (protobuf, raw or in base64, as from `ipfs key export`) or PEM (PKCS#8 without a
// passphrase). Errc::unsupported for RSA, Errc::parse.
Result<StoredKey> import_key(std::string_view file, StoredKeyType hex_type = StoredKeyType::nostr);

// Our labelled keys: one secret file each, <folder>/<label>.<type>, mode 0600, in the clear or
// encrypted with a password (NIP-49). Thread-safe as the file system and the password's source are.
class KeyStore {
 public:
  struct Entry {
    std::string label;
    StoredKeyType type = StoredKeyType::nostr;
  };

  // `folder` is <state>/keys; it is made with the first key. `password` is asked for keys that are
  // encrypted; without it they cannot be loaded.
  explicit KeyStore(std::filesystem::path folder, PasswordSource password = {})
      : folder_(std::move(folder)), password_(std::move(password)) {}

  // Errc::conflict when the label is taken, Errc::invalid for one that is not made of 1 to 64 of
  // a-z A-Z 0-9 . _ -, Errc::io.
  Status add(std::string_view label, const StoredKey& key) const;
  // The same for a key that stays encrypted: `ncryptsec` as nip49_encrypt() made it.
  Status add_encrypted(std::string_view label, StoredKeyType type,
                       std::string_view ncryptsec) const;
  // Puts an encrypted copy in the place of a key in the clear, whole or not at all. What the disk
  // keeps of the old file is out of our hands, so the key counts as KeySecurity::insecure.
  // Errc::not_found, Errc::conflict when it is encrypted already, else as nip49_encrypt().
  Status encrypt(std::string_view label, std::string_view password, uint8_t log_n) const;
  // Whether loading this key needs a password. Errors as load().
  Result<bool> is_encrypted(std::string_view label) const;
  // Errc::not_found; Errc::refused when others can read the file, or when it is encrypted and no
  // password can be had; Errc::signature for a wrong one; Errc::parse.
  Result<StoredKey> load(std::string_view label) const;
  // Sorted by label; none when the folder does not exist. Errc::io.
  Result<std::vector<Entry>> list() const;

 private:
  // The one line of a key's file.
  struct File {
    std::filesystem::path path;
    StoredKeyType type = StoredKeyType::nostr;
    SecretText line;
  };

  std::filesystem::path file_of(std::string_view label, StoredKeyType type) const;
  Status check_free(std::string_view label) const;
  Result<File> read(std::string_view label) const;

  // constant after construction
  const std::filesystem::path folder_;
  const PasswordSource password_;
};

}  // namespace ipnscast::sync
