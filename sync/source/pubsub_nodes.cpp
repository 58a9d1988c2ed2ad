#include "ipnscast/sync/source/pubsub_listener.h"

namespace ipnscast::sync {

std::vector<gateway::Endpoint> pubsub_nodes(const std::vector<Gateway>& gateways) {
  std::vector<gateway::Endpoint> out;
  for (const Gateway& gateway : gateways) {
    if (gateway.tier != 1 || !gateway.uses.records) continue;
    if (auto endpoint = gateway::parse_endpoint(gateway.url, gateway.authorization))
      out.push_back(std::move(*endpoint));
  }
  return out;
}

PubsubConnections pubsub_connections(size_t nodes, const PubsubOptions& options) {
  const size_t beside = options.topics.parallel;
  return {options.streams_per_node + beside, options.streams + nodes * (beside + 1)};
}

}  // namespace ipnscast::sync
