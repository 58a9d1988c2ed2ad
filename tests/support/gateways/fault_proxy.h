#pragma once

#include <atomic>
#include <chrono>
#include <string_view>

#include "ipnscast/sync/gateway/http_call.h"
#include "ipnscast/tests/support/gateways/scripted_http_server.h"

namespace ipnscast::test {

// What is wrong with a node for as long as it is proxied. A stale node is wrong in what it holds,
// not in how it answers: its proxy does nothing.
enum class Fault { none, dead, lie, stale, stall, busy };
std::string_view to_string(Fault fault);

// One request that reached the node's proxy, when the node has answered it.
struct ProxiedRequest {
  std::string target;                    // path and query
  int status = 0;                        // the node's own
  std::chrono::microseconds delay{0};    // what the proxy adds before the first byte
  std::chrono::microseconds service{0};  // what the node took
};

struct FaultProxyOptions {
  Fault fault = Fault::none;
  // Delays and everything that is drawn follow from the seed and the request, not from the order in
  // which requests come: the same seed gives the same delays.
  uint64_t seed = 0;
  std::chrono::microseconds shortest{30'000};
  std::chrono::microseconds longest{300'000};
};

// A proxy before one node, on a free loopback port. Every request is passed on and its answer taken
// whole; then it is held back for a delay drawn for it, and perhaps spoiled:
//
//   dead   the port refuses, or (every other seed) takes requests and never answers
//   lie    a flipped byte, half of the answer as if it were whole, or a page of HTML with status
//          200, as drawn for each request
//   stall  nothing more after some bytes of the body; every other seed spares answers under 2 KiB,
//          so that records come and only content stalls
//   busy   429 with Retry-After: 60
//
// /api/... goes to the node's RPC, all else to its gateway. Thread-safe.
class FaultProxy {
 public:
  // `upstream` outlives this.
  FaultProxy(sync::gateway::Http& upstream, std::string gateway_url, std::string rpc_url,
             FaultProxyOptions options);

  std::string url() const { return server_.url(); }
  std::vector<ProxiedRequest> requests() const;
  // Ends all connections; the port refuses from then on.
  void stop() { server_.stop(); }

 private:
  ScriptedAnswer serve(const ScriptedRequest& request);
  ScriptedAnswer pass_on(const ScriptedRequest& request);
  void spoil(ScriptedAnswer& answer, uint64_t drawn) const;

  // constant after construction
  sync::gateway::Http& upstream_;
  const std::string gateway_url_;
  const std::string rpc_url_;
  const FaultProxyOptions options_;

  mutable std::mutex mutex_;
  // guarded by mutex_
  std::map<std::string, uint64_t> seen_;  // by method and target
  std::vector<ProxiedRequest> requests_;

  ScriptedHttpServer server_;  // last: its threads use all above
};

}  // namespace ipnscast::test
