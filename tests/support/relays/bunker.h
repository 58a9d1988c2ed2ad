#pragma once

#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "ipnscast/nostr/pool/pool.h"
#include "ipnscast/nostr/signer/nip46.h"

namespace ipnscast::test {

// A remote signer (NIP-46) on real relays that answers as the test wants, honestly or not. It
// speaks with one key and signs with another.
class Bunker {
 public:
  // What is said to a request: nothing, one or several messages. Runs on the net thread.
  using Script = std::function<std::vector<nostr::SignerResponse>(const nostr::SignerRequest&)>;

  // Listens on all relays when this returns. Without a script it is honest.
  Bunker(nostr::net::Loop& loop, std::vector<nostr::RelayUrl> relays, Script script = {});

  // bunker://, with this secret when it is not empty, at the first of its relays.
  std::string address(std::string secret = "s3cret") const;
  const nostr::SecretKey& user() const { return user_; }
  // What an honest signer says; connects whoever shows "s3cret", and signs only the kinds that were
  // named then, if any were.
  std::vector<nostr::SignerResponse> honest(const nostr::SignerRequest& request) const;
  // How often this method was asked for.
  size_t heard(const std::string& method) const;
  // Says something to whoever asked last, as another key than the signer's when one is given.
  void say(const nostr::SignerResponse& response, const nostr::SecretKey* as = nullptr);

 private:
  bool take(nostr::PoolMessage& message);

  const nostr::SecretKey signer_ = nostr::SecretKey::generate();
  const nostr::SecretKey user_ = nostr::SecretKey::generate();
  const std::vector<nostr::RelayUrl> relays_;
  const Script script_;
  mutable std::mutex mutex_;
  std::vector<std::string> heard_;   // guarded by mutex_
  mutable std::string permissions_;  // guarded by mutex_: ",sign_event:1,nip44_encrypt,"
  mutable bool let_in_ = false;      // guarded by mutex_; somebody knew the secret
  nostr::PublicKey client_;          // guarded by mutex_
  size_t live_ = 0;                  // net thread only
  std::promise<void> listening_;
  std::unique_ptr<nostr::Pool> pool_;
};

}  // namespace ipnscast::test
