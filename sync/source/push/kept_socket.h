#pragma once

#include <functional>
#include <memory>
#include <string>

#include "ipnscast/nostr/base/random.h"
#include "ipnscast/nostr/net/loop.h"
#include "ipnscast/nostr/net/websocket_client.h"
#include "ipnscast/nostr/relay/backoff.h"
#include "ipnscast/sync/source/push/pace.h"

namespace ipnscast::sync::push {

// A WebSocket connection that is made again whenever it ends, with growing waits (S0-43). Net
// thread only. Destroying it ends it; no handler runs afterwards.
class KeptSocket {
 public:
  struct Options {
    nostr::net::ClientOptions client{};
    nostr::Backoff::Options backoff{Milliseconds(5'000), Milliseconds(60'000),
                                    Milliseconds(60'000)};
  };
  struct Handlers {
    std::function<void()> opened;
    std::function<void(std::string frame)> frame;
    // It ended, or could not be made; it is tried again by itself.
    std::function<void(const nostr::net::Closed&)> lost;
  };

  // Begins to connect. `loop` outlives this.
  KeptSocket(nostr::net::Loop& loop, nostr::RelayUrl url, Options options, Handlers handlers);

  // Queues one text frame; dropped while there is no connection.
  void send(std::string frame);
  // Stops (true) and resumes reading; across connections.
  void pause(bool on) { pace_.pause(on); }

 private:
  void connect();
  void take(std::string frame);
  void read_or_not();
  void ended(const nostr::net::Closed& closed);

  // constant after construction
  nostr::net::Loop& loop_;
  const nostr::RelayUrl url_;
  const Options options_;
  const Handlers handlers_;

  Rng rng_ = make_rng();
  nostr::Backoff backoff_;
  Pace pace_;
  std::unique_ptr<nostr::net::WebSocketClient> client_;
  // Tells timers and handlers of an earlier connection that they come too late.
  std::shared_ptr<bool> current_;
};

}  // namespace ipnscast::sync::push
