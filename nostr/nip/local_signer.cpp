#include "ipnscast/nostr/nip/local_signer.h"

#include "ipnscast/nostr/base/sha256.h"
#include "ipnscast/nostr/nip/nip44.h"

namespace ipnscast::nostr {
namespace {

class LocalSigner final : public Signer {
 public:
  explicit LocalSigner(SecretKey key) : key_(std::move(key)) {}

  PublicKey public_key() const override { return key_.public_key(); }

  void sign(UnsignedEvent event, SignCallback done) override {
    if (auto ok = check_publishable(event); !ok) return done(fail(std::move(ok.error())));
    done(sign_event(key_, event));
  }

  void nip44_encrypt(std::string plaintext, PublicKey peer, TextCallback done) override {
    done(ConversationKey::between(key_, peer).and_then([&](const ConversationKey& shared) {
      return nostr::nip44_encrypt(shared, plaintext);
    }));
  }

  void nip44_decrypt(std::string payload, PublicKey peer, TextCallback done) override {
    done(ConversationKey::between(key_, peer).and_then([&](const ConversationKey& shared) {
      return nostr::nip44_decrypt(shared, payload);
    }));
  }

  std::optional<SecretBytes<32>> derive(std::string_view info) const override {
    Bytes derived = hkdf_sha256(key_.secret_view(), {}, as_bytes(info), 32);
    auto out = SecretBytes<32>::from(derived);
    wipe(derived);
    return out;
  }

 private:
  const SecretKey key_;
};

}  // namespace

std::shared_ptr<Signer> make_local_signer(SecretKey key) {
  return std::make_shared<LocalSigner>(std::move(key));
}

}  // namespace ipnscast::nostr
