#pragma once

#include <memory>
#include <vector>

#include "ipnscast/nostr/net/loop.h"
#include "ipnscast/sync/gateway/endpoint.h"
#include "ipnscast/sync/source/push/kept_stream.h"
#include "ipnscast/sync/source/source.h"

namespace ipnscast::sync {

struct SseSourceOptions {
  std::vector<gateway::Endpoint> endpoints;
  push::KeptStream::Options stream{};
  size_t names_in_stream = 50;
  size_t streams = 32;  // at each endpoint; names beyond are left to the other sources
};

// Push servers that speak server-sent events (S0-47, S0-48): many names on one stream
// (/sse/ipns?names=A,B) where that is offered, else a stream a name (/sse/ipns/NAME). What one says
// is a stranger's claim, unless a record comes along and verifies. Healthy while all its streams
// are open. `loop` outlives the source, and so does `http`, which has connections for all streams.
std::unique_ptr<Source> sse_source(nostr::net::Loop& loop, gateway::Http& http,
                                   SseSourceOptions options, std::shared_ptr<SourceSink> sink);

}  // namespace ipnscast::sync
