#include "nostr/signer.h"

#include <condition_variable>
#include <mutex>

#include "nostr/base/sha256.h"
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

  std::optional<SecretBytes<32>> derive(std::string_view info) const override {
    Bytes derived = hkdf_sha256(key_.secret_view(), {}, as_bytes(info), 32);
    auto out = SecretBytes<32>::from(derived);
    wipe(derived);
    return out;
  }

 private:
  const SecretKey key_;
};

// What `start` gives to the callback that it is called with.
template <typename T, typename Start>
Result<T> wait_for(Start start, Milliseconds timeout) {
  // Shared with the callback, which may come after we gave up.
  struct Answer {
    std::mutex mutex;
    std::condition_variable came;
    std::optional<Result<T>> result;  // guarded by mutex
  };
  const auto answer = std::make_shared<Answer>();
  start([answer](Result<T> result) {
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

}  // namespace

std::shared_ptr<Signer> make_local_signer(SecretKey key) {
  return std::make_shared<LocalSigner>(std::move(key));
}

Result<Event> sign_blocking(Signer& signer, UnsignedEvent event, Milliseconds timeout) {
  return wait_for<Event>(
      [&](Signer::SignCallback done) { signer.sign(std::move(event), std::move(done)); }, timeout);
}

Result<std::string> nip44_encrypt_blocking(Signer& signer, std::string plaintext, PublicKey peer,
                                           Milliseconds timeout) {
  return wait_for<std::string>(
      [&](Signer::TextCallback done) {
        signer.nip44_encrypt(std::move(plaintext), peer, std::move(done));
      },
      timeout);
}

Result<std::string> nip44_decrypt_blocking(Signer& signer, std::string payload, PublicKey peer,
                                           Milliseconds timeout) {
  return wait_for<std::string>(
      [&](Signer::TextCallback done) {
        signer.nip44_decrypt(std::move(payload), peer, std::move(done));
      },
      timeout);
}

}  // namespace ipnscast::nostr
