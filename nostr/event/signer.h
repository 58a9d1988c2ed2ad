#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "ipnscast/nostr/event/keys.h"

namespace ipnscast::nostr {

// Whoever can sign events for one public key. Asynchronous, because a remote signer (NIP-46)
// answers in seconds: the callback comes later from any thread, or before sign() returns, exactly
// once. It must not block.
class Signer {
 public:
  using SignCallback = std::function<void(Result<Event>)>;
  using TextCallback = std::function<void(Result<std::string>)>;

  virtual ~Signer() = default;
  virtual PublicKey public_key() const = 0;
  virtual void sign(UnsignedEvent event, SignCallback done) = 0;
  // NIP-44 v2 to and from `peer`.
  virtual void nip44_encrypt(std::string plaintext, PublicKey peer, TextCallback done) = 0;
  virtual void nip44_decrypt(std::string payload, PublicKey peer, TextCallback done) = 0;
  // 32 secret bytes for one use: HKDF-SHA256(secret, no salt, info). At once. Nothing when the
  // secret is out of reach, as with a remote signer.
  virtual std::optional<SecretBytes<32>> derive(std::string_view /*info*/) const { return {}; }
};

// These wait for the signer's answer, `timeout` at most (Errc::timeout). Not for event loops.
Result<Event> sign_blocking(Signer& signer, UnsignedEvent event, Milliseconds timeout);
Result<std::string> nip44_encrypt_blocking(Signer& signer, std::string plaintext, PublicKey peer,
                                           Milliseconds timeout);
Result<std::string> nip44_decrypt_blocking(Signer& signer, std::string payload, PublicKey peer,
                                           Milliseconds timeout);

}  // namespace ipnscast::nostr
