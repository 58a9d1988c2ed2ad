#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "nostr/base/clock.h"
#include "nostr/message.h"
#include "nostr/net/websocket_server.h"
#include "nostr/server/relay_options.h"
#include "nostr/server/relay_store.h"

namespace ipnscast::nostr::server {

using net::ServerConnectionId;

// One thing to do on the network: send the frame, or close the connection when there is none.
struct RelayAction {
  ServerConnectionId connection;
  std::shared_ptr<const std::string> frame;
};

// How often what happened, since the start.
struct RelayCounters {
  uint64_t stored = 0;
  uint64_t ephemeral = 0;
  uint64_t duplicates = 0;
  uint64_t superseded = 0;
  uint64_t refused = 0;    // events with a bad id, signature, date, or over the rate
  uint64_t garbage = 0;    // frames that do not parse
  uint64_t requests = 0;   // REQs
  uint64_t delivered = 0;  // live events sent to subscriptions
};

// The relay as a state machine: connections, frames and time go in, actions come out; no socket,
// thread or clock. NIP-01, NIP-09 and NIP-40. One thread at a time; the store outlives it.
//
// Frames are taken in batches: frame() any number of times, then finish(), which commits what the
// batch stored and only then gives the actions. When the commit fails, each EVENT of the batch gets
// OK false and each REQ CLOSED.
class RelayCore {
 public:
  RelayCore(RelayOptions options, RelayStore& store);

  void opened(ServerConnectionId connection, Now now);
  void closed(ServerConnectionId connection);
  // One text frame. Frames of connections that are not open are ignored.
  void frame(ServerConnectionId connection, std::string_view text, Now now);
  std::vector<RelayAction> finish();
  // What the actions of the batch hold so far: a reason to finish it.
  size_t pending_bytes() const { return pending_bytes_; }

  const RelayCounters& counters() const { return counters_; }

 private:
  struct Connection {
    std::map<SubscriptionId, std::vector<Filter>> subscriptions;
    double event_budget = 0;
    Instant refilled;
  };

  void publish(ServerConnectionId id, Connection& connection, const Event& event, Now now);
  void request(ServerConnectionId id, Connection& connection, ReqRequest request, Now now);
  // The OK or the refusal of a verified event, and whether it goes to the live subscriptions.
  bool accept(ServerConnectionId id, const Event& event);
  Result<std::vector<StoredEvent>> stored_events(const std::vector<Filter>& filters, Now now);
  bool within_rate(Connection& connection, Now now);
  Result<Stored> store(const Event& event);
  void fan_out(const Event& event);

  void answer(ServerConnectionId id, const RelayMessage& message);
  void answer_event(ServerConnectionId id, const EventId& event, bool accepted, std::string reason);
  void send(ServerConnectionId id, std::shared_ptr<const std::string> frame);

  // constant after construction
  const RelayOptions options_;
  const MessageLimits limits_;
  RelayStore& store_;

  std::unordered_map<ServerConnectionId, Connection> connections_;
  RelayCounters counters_;

  // of the batch
  bool in_transaction_ = false;
  bool lost_ = false;
  size_t pending_bytes_ = 0;
  std::vector<RelayAction> actions_;
  std::vector<RelayAction> actions_if_lost_;  // instead, when the commit fails
  std::vector<std::pair<ServerConnectionId, SubscriptionId>> opened_in_batch_;
};

}  // namespace ipnscast::nostr::server
