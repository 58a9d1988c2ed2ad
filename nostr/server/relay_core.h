#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "ipnscast/nostr/base/allowance.h"
#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/nostr/event/message.h"
#include "ipnscast/nostr/net/websocket_server.h"
#include "ipnscast/nostr/server/negentropy_sessions.h"
#include "ipnscast/nostr/server/relay_counters.h"
#include "ipnscast/nostr/server/relay_options.h"
#include "ipnscast/nostr/server/relay_policy.h"
#include "ipnscast/nostr/server/relay_store.h"
#include "ipnscast/nostr/server/subscription_index.h"

namespace ipnscast::nostr::server {

// One thing to do on the network: send the frame, or close the connection when there is none.
struct RelayAction {
  ServerConnectionId connection;
  std::shared_ptr<const std::string> frame;
};

// The relay as a state machine: connections, frames and time go in, actions come out; no socket,
// thread or clock. NIP-01, 09, 40, 42, 45, 70 and 77; see relay_policy.h for who may do what. One
// thread at a time; the store outlives it.
//
// Frames are taken in batches: frame() any number of times, then finish(), which commits what the
// batch stored and only then gives the actions. When the commit fails, each EVENT of the batch gets
// OK false, each REQ and COUNT CLOSED, and each NEG-OPEN NEG-ERR.
class RelayCore {
 public:
  RelayCore(RelayOptions options, RelayStore& store);

  void opened(ServerConnectionId connection);
  void closed(ServerConnectionId connection);
  // One text frame. Frames of connections that are not open are ignored.
  void frame(ServerConnectionId connection, std::string_view text, Now now);
  std::vector<RelayAction> finish();
  // What the actions of the batch hold so far: a reason to finish it.
  size_t pending_bytes() const { return pending_bytes_; }

  const RelayCounters& counters() const { return counters_; }
  const SubscriptionIndex& subscriptions() const { return subscriptions_; }

 private:
  struct Connection {
    ServerConnectionId id;
    Allowance events;
    Allowance requests;
    std::string challenge;  // the one that was sent, or empty
    bool answered = false;  // the client has seen the challenge, or it was sent a second time
    ProvedKeys keys;
  };

  // relay_core.cpp
  void on(Connection& connection, const PublishRequest& message, Now now);
  void on(Connection& connection, const CloseRequest& message, Now now);
  void on(Connection& connection, const AuthRequest& message, Now now);
  void on(Connection& connection, const UnknownMessage& message, Now now);
  std::optional<std::string> refuse(Connection& connection, const Event& event, Now now);
  // Why the proof does not hold.
  std::optional<std::string> refuse_proof(const Connection& connection, const Event& event,
                                          Now now) const;
  // The OK or the refusal of a verified event, and whether it goes to the live subscriptions.
  bool accept(ServerConnectionId id, const Event& event);
  Result<Stored> store(const Event& event);
  void fan_out(const Event& event);
  // Sends the connection's challenge. NIP-42.
  void challenge(Connection& connection);
  // The same beside an "auth-required", unless the client has seen it: the one of the first moment
  // gets lost in clients that listen only after their handshake (rust-nostr in JavaScript).
  void remind(Connection& connection);

  // relay_requests.cpp
  void on(Connection& connection, const ReqRequest& message, Now now);
  void on(Connection& connection, const CountRequest& message, Now now);
  void on(Connection& connection, const NegOpenRequest& message, Now now);
  void on(Connection& connection, const NegMessage& message, Now now);
  void on(Connection& connection, const NegCloseRequest& message, Now now);
  // Counts the request. Why it is not answered, if so.
  std::optional<std::string> refuse(Connection& connection, const std::vector<Filter>& filters,
                                    Now now);
  std::optional<std::string> refuse_subscription(const Connection& connection,
                                                 const ReqRequest& request) const;
  Result<std::vector<StoredEvent>> stored_events(const std::vector<Filter>& filters,
                                                 const Viewer& viewer, Now now, EoseHint& hint);
  void answer_negentropy(Connection& connection, const SubscriptionId& id, ByteView message,
                         Now now);

  void answer(ServerConnectionId id, const RelayMessage& message);
  // Another answer for the case that the batch is lost.
  void answer(ServerConnectionId id, const RelayMessage& message, const RelayMessage& if_lost);
  void send(ServerConnectionId id, std::shared_ptr<const std::string> frame);

  // constant after construction
  const RelayOptions options_;
  const MessageLimits limits_;
  const NegentropyLimits negentropy_limits_;
  RelayStore& store_;

  std::unordered_map<ServerConnectionId, Connection> connections_;
  SubscriptionIndex subscriptions_;
  NegentropySessions reconciliations_;
  RelayCounters counters_;

  // of the batch
  bool in_transaction_ = false;
  bool lost_ = false;
  size_t pending_bytes_ = 0;
  std::vector<RelayAction> actions_;
  std::vector<RelayAction> actions_if_lost_;  // instead, when the commit fails
  std::vector<std::pair<ServerConnectionId, SubscriptionId>> subscribed_in_batch_;
  std::vector<std::pair<ServerConnectionId, SubscriptionId>> reconciled_in_batch_;
};

}  // namespace ipnscast::nostr::server
