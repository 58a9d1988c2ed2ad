#pragma once

#include "ipnscast/nostr/event/keys.h"

// NIP-44 version 2: text encrypted between two keys, or to oneself.
namespace ipnscast::nostr {

// What two keys share: HKDF-extract over their ECDH point. The same from either side.
class ConversationKey {
 public:
  // Errc::invalid when `peer` is not on the curve.
  static Result<ConversationKey> between(const SecretKey& own, const PublicKey& peer);
  // 32 bytes that were derived before, as in the official vectors.
  static ConversationKey from_bytes(ByteView bytes32) {
    return ConversationKey(SecretBytes<32>::from(bytes32));
  }

  ByteView view() const { return bytes_.view(); }

 private:
  explicit ConversationKey(SecretBytes<32> bytes) : bytes_(std::move(bytes)) {}
  SecretBytes<32> bytes_;
};

// Our own bound on a plaintext; the format allows 2^32 - 1 bytes (June 2026).
constexpr size_t kNip44MaxPlaintext = 16 * 1024 * 1024;

// The payload in base64, with a fresh random nonce. Errc::invalid for an empty text,
// Errc::too_large.
Result<std::string> nip44_encrypt(const ConversationKey& key, std::string_view plaintext,
                                  size_t max_plaintext = kNip44MaxPlaintext);
// The same with a given nonce of 32 bytes: for the official vectors. A nonce used twice reveals
// both texts.
Result<std::string> nip44_encrypt_with_nonce(const ConversationKey& key, std::string_view plaintext,
                                             ByteView nonce32,
                                             size_t max_plaintext = kNip44MaxPlaintext);

// The caller has verified the event that carried the payload. Its size is checked before anything
// else. Errc::unsupported for another version, Errc::too_large, Errc::parse, Errc::signature for a
// wrong MAC.
Result<std::string> nip44_decrypt(const ConversationKey& key, std::string_view payload,
                                  size_t max_plaintext = kNip44MaxPlaintext);

// The size that a plaintext of `size` bytes (1 and more) is padded to, prefix not counted.
uint64_t nip44_padded_size(uint64_t size);

// The three keys of one message. Public for the official vectors.
struct Nip44MessageKeys {
  SecretBytes<32> chacha_key;
  std::array<uint8_t, 12> chacha_nonce{};
  SecretBytes<32> hmac_key;
};
Nip44MessageKeys nip44_message_keys(const ConversationKey& key, ByteView nonce32);

}  // namespace ipnscast::nostr
