#pragma once

#include <map>

#include "ipnscast/nostr/event/message.h"
#include "ipnscast/nostr/net/websocket_server.h"
#include "ipnscast/nostr/nip/negentropy.h"

namespace ipnscast::nostr::server {

using net::ServerConnectionId;

// The reconciliations under way (NIP-77): each holds the set that its NEG-OPEN found, within bounds
// per connection and in all. One thread at a time.
class NegentropySessions {
 public:
  // A session that says nothing for so long makes way when there is no room for a new one.
  static constexpr Seconds kIdle{60};

  NegentropySessions(size_t max_of_connection, size_t max_items)
      : max_of_connection_(max_of_connection), max_items_(max_items) {}

  // In place of one with the same id. Errc::busy when there is no room.
  Status open(ServerConnectionId connection, const SubscriptionId& id, NegentropySet set,
              Instant now);
  // Null when there is none. Lives until the next change.
  const NegentropySet* find(ServerConnectionId connection, const SubscriptionId& id, Instant now);
  void close(ServerConnectionId connection, const SubscriptionId& id);
  void close_all(ServerConnectionId connection);
  size_t size() const { return sessions_.size(); }

 private:
  struct Session {
    NegentropySet set;
    Instant used;
  };
  using Sessions = std::map<std::pair<ServerConnectionId, SubscriptionId>, Session>;

  Sessions::iterator drop(Sessions::iterator session);

  // constant after construction
  const size_t max_of_connection_;
  const size_t max_items_;

  Sessions sessions_;
  size_t items_ = 0;
};

}  // namespace ipnscast::nostr::server
