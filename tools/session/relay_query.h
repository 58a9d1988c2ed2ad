#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ipnscast/nostr/pool/pool.h"

namespace ipnscast::tools {

// Asks several relays for stored events, and for those to come when `follow` is set.
struct RelayQueryOptions {
  std::vector<nostr::RelayUrl> relays;
  std::vector<nostr::Filter> filters;
  std::shared_ptr<nostr::Signer> signer;  // for AUTH; may be null
  nostr::net::Access access;
  bool follow = false;
  std::optional<Milliseconds> deadline;
};

// How a query ended.
struct RelayQueryEnd {
  struct Failure {
    nostr::RelayUrl relay;
    Error error;  // Errc::unreachable or Errc::refused
  };
  std::vector<Failure> failed;
  std::vector<Failure> incomplete;  // relays that gave a part of what they have: Errc::refused
  std::vector<Failure> late;        // had not sent all they had at the deadline: Errc::timeout
  size_t answered = 0;              // relays that sent all they had
  bool timed_out = false;
};

class RelayQuery {
 public:
  // Each event once, verified, on the thread that runs the query.
  using OnEvent = std::function<void(const nostr::Event&)>;

  explicit RelayQuery(RelayQueryOptions options);
  ~RelayQuery();

  // Returns when every relay has sent what it had or has failed, at the deadline, or after
  // cancel(). A relay counts as failed when its first connection fails or when it refuses. One that
  // refuses the rest of an answer for now is asked again until the deadline.
  // Errc::io when no thread can be started.
  Result<RelayQueryEnd> run(const OnEvent& on_event);
  // Any thread.
  void cancel();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ipnscast::tools
