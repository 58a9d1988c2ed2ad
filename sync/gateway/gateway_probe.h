#pragma once

#include <functional>
#include <string>

#include "ipnscast/sync/gateway/gateway_book.h"

namespace ipnscast::sync::gateway {

// What a URL turned out to speak, and how that was found.
struct ProbeReport {
  Dialects dialects;        // what it speaks for certain or perhaps
  bool reachable = false;   // some request was answered, with whatever status
  std::string rpc_version;  // of Kubo's RPC
  std::string trustless;    // "yes", "perhaps: ..." or "no: ..."
  std::string routing;
  std::string rpc;
  std::string path;
  Milliseconds took{0};  // of the fastest answer
};

// Asks for the empty block, for a record under a name that is none, for the RPC's version, and for
// a file that stands in its CID, side by side, 3 s at most. Whether it heeds preconditions stands
// in the headers of these answers. `done` comes once, on the http thread, and must not block.
void probe_gateway(Http& http, const Endpoint& endpoint, std::function<void(ProbeReport)> done);

}  // namespace ipnscast::sync::gateway
