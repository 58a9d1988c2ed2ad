#pragma once

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "nostr/message.h"
#include "nostr/net/websocket_server.h"

namespace ipnscast::nostr::server {

using net::ServerConnectionId;

// The live subscriptions of all connections, found by event: each filter is filed under the values
// of the one list that few events share (ids, else #d, else authors, else another tag, else kinds),
// so that an event meets only subscriptions that are likely to want it. One thread at a time.
class SubscriptionIndex {
 public:
  struct Subscription {
    ServerConnectionId connection;
    SubscriptionId id;
    std::vector<Filter> filters;
  };

  // In place of one with the same connection and id.
  void add(Subscription subscription);
  // False when there is none.
  bool remove(ServerConnectionId connection, const SubscriptionId& id);
  void remove_all(ServerConnectionId connection);

  bool contains(ServerConnectionId connection, const SubscriptionId& id) const;
  // Of one connection.
  size_t count(ServerConnectionId connection) const;
  // The values in all lists of one connection's filters, without those of the subscription `but`.
  size_t items(ServerConnectionId connection, const SubscriptionId& but) const;
  size_t size() const { return subscriptions_.size(); }

  // Those that the event satisfies, each once, in the order in which they were opened. They live
  // until the next change.
  std::vector<const Subscription*> matching(const Event& event) const;
  // How many matching() looked at in all, for tests and benches.
  uint64_t examined() const { return examined_; }

 private:
  using Handle = uint64_t;  // rises with every add
  using Key = std::string;  // a letter for the list, and a value of it

  void drop(Handle handle);

  Handle next_ = 1;
  std::unordered_map<Handle, Subscription> subscriptions_;
  std::unordered_map<ServerConnectionId, std::map<SubscriptionId, Handle>> of_connection_;
  // Ordered: clients choose the values, and could choose some that collide in a hash.
  std::map<Key, std::set<Handle>> filed_;
  mutable uint64_t examined_ = 0;
};

// The values in all lists of the filter.
size_t count_items(const Filter& filter);

}  // namespace ipnscast::nostr::server
