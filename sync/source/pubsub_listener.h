#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ipnscast/sync/gateway/endpoint.h"
#include "ipnscast/sync/gateway/gateway.h"
#include "ipnscast/sync/source/node_topics.h"
#include "ipnscast/sync/state/known_record.h"

namespace ipnscast::sync {

struct PubsubOptions {
  size_t streams_per_node = 256;  // names beyond are left to polling
  size_t streams = 512;           // of all nodes; each is a connection
  NodeTopics::Options topics{};
};

// Where we listen: own nodes (gateways of tier 1) that are asked for records. Never a public
// gateway: what we listen to there, and for how long, is nothing it offered.
std::vector<gateway::Endpoint> pubsub_nodes(const std::vector<Gateway>& gateways);

// What listening at so many nodes takes; streams keep their connections.
struct PubsubConnections {
  size_t per_host = 0;
  size_t all = 0;
};
PubsubConnections pubsub_connections(size_t nodes, const PubsubOptions& options = {});

struct PubsubCounts {
  uint64_t messages = 0;  // lines of all streams
  uint64_t records = 0;   // of these: a record, verified for the name
  uint64_t bad = 0;       // of these: no line of pubsub, or no valid record of the name
  uint64_t skipped = 0;   // of these: came too fast to be looked at
  uint64_t topics = 0;    // listened to now, each at each node
};

// Listens to IPNS over pubsub at Kubo nodes of ours that have it on: the pubsub thread, around one
// NodeTopics for each node. Bounded in memory under any flood: what is not worked off makes the
// senders wait. Any thread.
class PubsubListener {
 public:
  // On the pubsub thread; may block, except for close(). The node is its address as configured.
  struct Handlers {
    // A record that was verified for the name. `heard`: on its topic; false: the node had it when
    // listening began.
    std::function<void(const IpnsName&, KnownRecord, const std::string& node, bool heard)> record;
    // Whether all topics are listened to at the node, from the first time that they are. May be
    // empty.
    std::function<void(const std::string& node, bool healthy)> health;
  };

  // `http` asks nodes whether they offer pubsub. `streams` does the rest, where they do; it has
  // connections for all streams and for NodeTopics::Options::parallel more at each node. Both
  // outlive this. Nodes are RPC addresses of our own configuration.
  PubsubListener(gateway::Http& http, gateway::Http& streams, std::vector<gateway::Endpoint> nodes,
                 Handlers handlers, PubsubOptions options = {});
  ~PubsubListener();

  // Listens to the topics of these names from now on, as many as the options allow.
  void follow(std::vector<IpnsName> names);

  PubsubCounts counts() const;
  // Ends the thread; streams end with `http`. Idempotent.
  void close();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ipnscast::sync
