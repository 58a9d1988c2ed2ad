#pragma once

#include <memory>
#include <vector>

#include "ipnscast/nostr/net/loop.h"
#include "ipnscast/sync/gateway/endpoint.h"
#include "ipnscast/sync/source/push/kept_socket.h"
#include "ipnscast/sync/source/source.h"

namespace ipnscast::sync {

struct W3nameSourceOptions {
  std::vector<gateway::Endpoint> endpoints;
  push::KeptSocket::Options socket{};
  size_t names = 64;  // at each endpoint; those beyond are left to the other sources
};

// w3name services: a WebSocket a name (GET /name/NAME/watch), and, as nothing is said again there,
// the record that the service has (GET /name/NAME) each time that one opens. Records come along and
// are verified. Healthy while all its connections are open. `loop` and `http` outlive the source.
std::unique_ptr<Source> w3name_source(nostr::net::Loop& loop, gateway::Http& http,
                                      W3nameSourceOptions options,
                                      std::shared_ptr<SourceSink> sink);

}  // namespace ipnscast::sync
