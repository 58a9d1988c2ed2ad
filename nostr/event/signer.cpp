#include "ipnscast/nostr/event/signer.h"

#include <condition_variable>
#include <mutex>

namespace ipnscast::nostr {
namespace {

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
