#pragma once

#include <memory>
#include <vector>

#include "ipnscast/nostr/event/relay_url.h"
#include "ipnscast/nostr/net/loop.h"
#include "ipnscast/sync/source/push/kept_socket.h"
#include "ipnscast/sync/source/source.h"

namespace ipnscast::sync {

struct WebsocketSourceOptions {
  // An address without a path is asked at /ws/ipns.
  std::vector<nostr::RelayUrl> endpoints;
  push::KeptSocket::Options socket{};
  // A server that has not answered by then is asked in the other dialect.
  Milliseconds answer_by{2'000};
};

// Push servers over WebSocket (S0-41 to S0-43, S0-45): each is told all names, in the dialect that
// it answers (push/push_words.h). What one says is a stranger's claim, unless a record comes along
// and verifies. Healthy while it is connected and was asked for names. `loop` outlives the source.
std::unique_ptr<Source> websocket_source(nostr::net::Loop& loop, WebsocketSourceOptions options,
                                         std::shared_ptr<SourceSink> sink);

}  // namespace ipnscast::sync
