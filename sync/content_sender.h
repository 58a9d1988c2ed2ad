#pragma once

#include <functional>
#include <vector>

#include "sync/client.h"
#include "sync/gateway/gateway_book.h"
#include "sync/ipfs/block_source.h"

namespace ipnscast::sync {

struct SendOptions {
  Milliseconds deadline{60'000};
  size_t batch_bytes = 16 * 1024 * 1024;  // of blocks in one dag/import
  std::function<bool()> stopped;          // asked between batches; may be empty
};

// The gateways that take content: those of tier 1 that speak Kubo's RPC. What is not yet known is
// found out by probing, which waits 3 s at most. Not from the http thread.
std::vector<size_t> content_nodes(gateway::Http& http, gateway::GatewayBook& book);

// Sends the DAG under `root` to all nodes side by side (dag/import in batches, pinned with the
// last), then reads the root back from each (R23). One place a node; a node that fails does not
// hold up the others' outcome beyond the deadline. Blocks the caller; not from the http thread.
// Errc::not_found when blocks are missing in `source`, Errc::cancelled when stopped.
Result<std::vector<Outcome::Place>> send_content(gateway::Http& http, gateway::GatewayBook& book,
                                                 const std::vector<size_t>& nodes,
                                                 BlockSource& source, const Cid& root,
                                                 const SendOptions& options = {});

// Takes the pins of a former version off the nodes again. Their blocks then go with the nodes'
// garbage collection.
std::vector<Outcome::Place> unpin_content(gateway::Http& http, gateway::GatewayBook& book,
                                          const std::vector<size_t>& nodes, const Cid& root,
                                          Milliseconds deadline = Milliseconds(10'000));

}  // namespace ipnscast::sync
