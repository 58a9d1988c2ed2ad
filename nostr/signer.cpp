#include "nostr/signer.h"

#include <condition_variable>
#include <mutex>

#include "nostr/nip44.h"

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

 private:
  const SecretKey key_;
};

}  // namespace

std::shared_ptr<Signer> make_local_signer(SecretKey key) {
  return std::make_shared<LocalSigner>(std::move(key));
}

Result<Event> sign_blocking(Signer& signer, UnsignedEvent event, Milliseconds timeout) {
  // Shared with the callback, which may come after we gave up.
  struct Answer {
    std::mutex mutex;
    std::condition_variable came;
    std::optional<Result<Event>> result;  // guarded by mutex
  };
  const auto answer = std::make_shared<Answer>();
  signer.sign(std::move(event), [answer](Result<Event> result) {
    std::lock_guard lock(answer->mutex);
    answer->result = std::move(result);
    answer->came.notify_all();
  });
  std::unique_lock lock(answer->mutex);
  if (!answer->came.wait_for(lock, timeout, [&] { return answer->result.has_value(); })) {
    return fail(Errc::timeout, "signer: no answer in time");
  }
  return std::move(*answer->result);
}

}  // namespace ipnscast::nostr
