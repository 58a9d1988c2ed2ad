#pragma once

#include <map>
#include <variant>

#include "ipnscast/nostr/base/strong_id.h"
#include "ipnscast/nostr/relay/backoff.h"
#include "ipnscast/nostr/signer/nip46.h"

namespace ipnscast::nostr {

// The client's side of one connection to a remote signer (NIP-46) as a pure state machine: takes
// what was heard and the time, gives what to do. It connects with the secret, always asks who the
// user is, asks where to listen (switch_relays), and numbers the requests of callers. Knows no
// socket, key or clock; remote_signer.h runs it on its thread, tests on a virtual clock.
class RemoteSession {
 public:
  using Ticket = StrongId<struct RemoteTicketTag>;

  struct Options {
    Milliseconds timeout{30'000};        // from a request to its answer
    Milliseconds auth_timeout{300'000};  // the same once a person has to agree on a page
    size_t max_waiting = 256;            // requests at a time
    Backoff::Options retry{Milliseconds(2'000), Milliseconds(300'000), Milliseconds(60'000)};
    std::string perms;  // asked for when connecting: "sign_event:30078,nip44_encrypt"
  };

  // What is known of earlier connections.
  struct Past {
    bool connected = false;         // the signer knows our key; its secret is spent
    std::optional<PublicKey> user;  // whom it signed for
    bool tried = false;             // our key is an earlier run's, whose answer may have been lost
  };

  // ---- what to do ----
  struct Send {
    SignerRequest request;
  };
  struct Answer {  // exactly one for each call()
    Ticket ticket;
    Result<std::string> result;
  };
  struct ShowUrl {  // a person has to agree there; checked by is_auth_url()
    std::string url;
  };
  struct Switch {  // the signer wants to be heard at these relays
    std::vector<RelayUrl> relays;
  };
  struct Connected {};  // worth remembering: the secret is spent
  struct Ready {        // the signer said who the user is
    PublicKey user;
  };
  // Connecting failed. Tried again by itself unless `final`, when every further call fails.
  struct Trouble {
    Error error;
    bool final = false;
  };
  using Action = std::variant<Send, Answer, ShowUrl, Switch, Connected, Ready, Trouble>;
  using Actions = std::vector<Action>;

  struct Counters {
    uint64_t unknown = 0;    // answers to no request of ours: late, twice, or somebody else's
    uint64_t malformed = 0;  // and pages that nobody should open
  };

  // `id_prefix` makes request ids unlike those of other sessions; 32 characters at most.
  RemoteSession(Options options, const PublicKey& signer, SecretText secret, Past past,
                std::string id_prefix, Rng rng);

  // A relay listens for us: the first time, or again after the link was lost, when answers may have
  // been missed and what waits is asked once more under the same ids.
  void listening(Now now, Actions& out);
  // A request of a caller. Kept until we are connected. Errc::busy beyond the bound,
  // Errc::timeout, Errc::refused with the signer's words.
  void call(Ticket ticket, std::string method, std::vector<std::string> params, Now now,
            Actions& out);
  // The text inside an event that the signer's key signed.
  void receive(std::string_view json, Now now, Actions& out);
  // Runs what is due: time-outs, and connecting again.
  void tick(Now now, Actions& out);
  std::optional<Instant> next_tick() const;

  bool ready() const { return state_ == State::ready; }
  const Counters& counters() const { return counters_; }

 private:
  enum class State { deaf, connecting, asking, ready, resting, failed };
  enum class Purpose { connect, user, relays, call };

  struct Waiting {
    Purpose purpose = Purpose::call;
    Ticket ticket;
    SignerRequest request;
    Instant deadline;
    bool sent = false;
    bool url_shown = false;
  };
  using Requests = std::map<std::string, Waiting>;  // by id

  void greet(Now now, Actions& out);
  void ask(Purpose purpose, std::string method, std::vector<std::string> params, Now now,
           Actions& out);
  bool may_know_us() const;
  void introduce(Now now, Actions& out);
  void answered(Waiting waiting, Result<std::string> result, Now now, Actions& out);
  void on_connect(const Result<std::string>& result, Now now, Actions& out);
  void on_user(const Result<std::string>& result, Now now, Actions& out);
  void on_relays(const Result<std::string>& result, Actions& out);
  void auth_url(Waiting& waiting, const std::string& url, Now now, Actions& out);
  void rest(Error error, Now now, Actions& out);
  void fail_for_good(const Error& error, Actions& out);
  void drop_own_requests();
  std::string next_id();

  // constant after construction
  const Options options_;
  const PublicKey signer_;
  const SecretText secret_;
  const std::string id_prefix_;

  Past past_;
  Rng rng_;
  State state_ = State::deaf;
  bool secret_tried_ = false;
  Backoff backoff_;
  std::optional<Instant> retry_at_;
  Error last_trouble_;
  std::optional<Error> connect_trouble_;  // since it last told us the user
  Requests requests_;
  size_t calls_ = 0;
  uint64_t serial_ = 0;
  Counters counters_;
};

}  // namespace ipnscast::nostr
