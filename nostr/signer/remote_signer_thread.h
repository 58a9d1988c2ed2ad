#pragma once

// Private: the thread of a remote signer, its session, its relays.
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <unordered_map>

#include "ipnscast/nostr/base/inbox.h"
#include "ipnscast/nostr/nip/nip44.h"
#include "ipnscast/nostr/pool/pool.h"
#include "ipnscast/nostr/signer/remote_connection.h"
#include "ipnscast/nostr/signer/remote_signer.h"

namespace ipnscast::nostr {

class RemoteSignerThread {
 public:
  using Done = std::function<void(Result<std::string>)>;

  static Result<std::shared_ptr<RemoteSignerThread>> make(BunkerUri uri,
                                                          RemoteConnection connection,
                                                          RemoteSignerOptions options);

  // ---- any thread ----
  // `done` is called exactly once: on the signer's thread, or here when there is no room or no
  // thread any more.
  void call(std::string method, std::vector<std::string> params, Done done);
  // Who the user is, as soon as that is known; the first trouble otherwise.
  Result<PublicKey> wait_ready();
  // Removes the state file and ends the thread.
  void forget();
  void close() { inbox_.close(); }

  // The thread: until close(). Answers what is left, then lets go of the relays.
  void serve();

 private:
  struct Call {
    std::string method;
    std::vector<std::string> params;
    Done done;
  };
  struct Heard {
    uint64_t pool = 0;  // which of ours
    PoolMessage message;
  };
  using Msg = std::variant<Call, Heard>;
  // A pool and what was heard of its links.
  struct Relays {
    uint64_t number = 0;
    std::vector<RelayUrl> urls;
    std::unique_ptr<Pool> pool;
    std::optional<Instant> live_by;  // of one that is being tried
    std::map<RelayUrl, bool> live;
  };

  RemoteSignerThread(BunkerUri uri, RemoteConnection connection, ConversationKey shared,
                     RemoteSignerOptions options);

  void open(Relays& relays, std::vector<RelayUrl> urls);
  void take(Call& call);
  void take(Heard& heard);
  void link_changed(Relays& relays, const PoolLink& link);
  void move_to_next();
  void perform(RemoteSession::Actions actions);
  void do_one(RemoteSession::Send& send);
  void do_one(RemoteSession::Answer& answer);
  void do_one(RemoteSession::ShowUrl& show);
  void do_one(RemoteSession::Switch& wanted);
  void do_one(RemoteSession::Connected& connected);
  void do_one(RemoteSession::Ready& ready);
  void do_one(RemoteSession::Trouble& trouble);
  void save();
  void tell(Result<PublicKey> outcome);
  std::optional<Instant> next_wake() const;

  // constant after construction
  const PublicKey signer_;
  const std::vector<RelayUrl> first_relays_;
  const RemoteSignerOptions options_;
  const ConversationKey shared_;
  std::unique_ptr<net::Loop> own_loop_;
  net::Loop* loop_ = nullptr;

  Inbox<Msg> inbox_;
  std::atomic<bool> delivery_stopped_ = false;
  std::atomic<bool> forgotten_ = false;

  std::mutex mutex_;
  std::condition_variable told_;
  std::optional<Result<PublicKey>> outcome_;  // guarded by mutex_

  // signer thread only
  RemoteConnection connection_;
  RemoteSession session_;
  Relays relays_;
  Relays next_;  // named by the signer, not proved yet; without a pool: none
  uint64_t pools_ = 0;
  uint64_t tickets_ = 0;
  std::unordered_map<RemoteSession::Ticket, Done> calls_;
};

}  // namespace ipnscast::nostr
