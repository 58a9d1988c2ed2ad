#pragma once

#include "ipnscast/nostr/base/result.h"
#include "ipnscast/nostr/base/secret/secret_bytes.h"
#include "ipnscast/nostr/base/secret/secret_text.h"

// NIP-49: a secret key encrypted with a password, as text (ncryptsec1...).
namespace ipnscast::nostr {

// What its owner knows about where the key has been.
enum class KeySecurity : uint8_t {
  insecure = 0,   // it once lay unencrypted in a file, or was copied by hand
  secure = 1,     // not that anybody knew
  untracked = 2,  // nobody kept account
};

// scrypt costs 2^log_n KiB of memory: 64 MiB and some tenths of a second at 16, 1 GiB at 20.
constexpr uint8_t kNip49LogN = 16;
constexpr uint8_t kNip49MaxLogN = 22;  // 4 GiB

struct Nip49Options {
  uint8_t log_n = kNip49LogN;  // 1..kNip49MaxLogN
  KeySecurity security = KeySecurity::untracked;
};

// True when the text claims to be an encrypted key; nothing else of it is looked at.
bool is_ncryptsec(std::string_view text);

// `password` is UTF-8 and is brought to NFKC first, so that it does not matter how a keyboard
// composes an accent. Errc::invalid for an empty password, one longer than 4096 bytes or not UTF-8,
// a secret that is not 32 bytes, a log_n out of range; Errc::too_large when the memory cannot be
// had. Takes its time: not for event loops.
Result<std::string> nip49_encrypt(ByteView secret32, std::string_view password,
                                  const Nip49Options& options = {});
// The same with given salt and nonce: for vectors. A pair used twice reveals the keys.
Result<std::string> nip49_encrypt_with(ByteView secret32, std::string_view password,
                                       const Nip49Options& options, ByteView salt16,
                                       ByteView nonce24);

struct Nip49Key {
  SecretBytes<32> secret;
  KeySecurity security = KeySecurity::untracked;
  uint8_t log_n = 0;
};

// Errc::parse for what is no such text; Errc::unsupported for another version; Errc::too_large for
// more than 2^max_log_n KiB, before anything is spent, or when the memory cannot be had;
// Errc::signature for a wrong password or an altered text, which cannot be told apart. The bytes
// are the caller's to check: they need not be a key of the curve. Not for event loops.
Result<Nip49Key> nip49_decrypt(std::string_view ncryptsec, std::string_view password,
                               uint8_t max_log_n = kNip49MaxLogN);

// A password in Unicode's NFKC. Errc::invalid. Public for the vectors.
Result<SecretText> nip49_normal_password(std::string_view password);

}  // namespace ipnscast::nostr
