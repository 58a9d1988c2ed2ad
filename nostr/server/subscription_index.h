#pragma once

#include <map>
#include <unordered_map>
#include <vector>

#include "ipnscast/nostr/event/filter_index.h"
#include "ipnscast/nostr/event/message.h"
#include "ipnscast/nostr/net/websocket_server.h"

namespace ipnscast::nostr::server {

using net::ServerConnectionId;

// The live subscriptions of all connections, found by event (see FilterIndex). One thread at a
// time.
class SubscriptionIndex {
 public:
  struct Subscription {
    ServerConnectionId connection;
    SubscriptionId id;
    size_t items = 0;  // in all lists of its filters
    size_t bytes = 0;  // see count_bytes()
  };

  // In place of one with the same connection and id.
  void add(ServerConnectionId connection, const SubscriptionId& id,
           const std::vector<Filter>& filters);
  // False when there is none.
  bool remove(ServerConnectionId connection, const SubscriptionId& id);
  void remove_all(ServerConnectionId connection);

  bool contains(ServerConnectionId connection, const SubscriptionId& id) const;
  // Of one connection.
  size_t count(ServerConnectionId connection) const;
  // The values in all lists of one connection's filters, without those of the subscription `but`.
  size_t items(ServerConnectionId connection, const SubscriptionId& but) const;
  // The memory that they take, about: of one connection without the subscription `but`, of one
  // subscription (0 when there is none), of all.
  size_t bytes(ServerConnectionId connection, const SubscriptionId& but) const;
  size_t bytes_of(ServerConnectionId connection, const SubscriptionId& id) const;
  size_t total_bytes() const { return total_bytes_; }
  size_t size() const { return subscriptions_.size(); }

  // Those that the event satisfies, each once, in the order in which they were opened. They live
  // until the next change.
  std::vector<const Subscription*> matching(const Event& event) const;
  // How many filters matching() looked at in all, for tests and benches.
  uint64_t examined() const { return examined_; }

 private:
  using Handle = FilterIndex::Owner;  // rises with every add

  void drop(Handle handle);

  Handle next_ = 1;
  std::unordered_map<Handle, Subscription> subscriptions_;
  std::unordered_map<ServerConnectionId, std::map<SubscriptionId, Handle>> of_connection_;
  FilterIndex filters_;
  size_t total_bytes_ = 0;
  mutable uint64_t examined_ = 0;
};

// The values in all lists of the filter.
size_t count_items(const Filter& filter);
// About what the filter takes in memory while it is subscribed to, measured on the index: a filter
// without values takes some too, and a value may be long.
size_t count_bytes(const Filter& filter);

}  // namespace ipnscast::nostr::server
