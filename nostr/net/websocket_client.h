#pragma once

#include <functional>
#include <memory>
#include <string>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/nostr/base/clock_witness.h"
#include "ipnscast/nostr/event/relay_url.h"
#include "ipnscast/nostr/net/stream/access.h"
#include "ipnscast/nostr/net/stream/closed.h"

namespace ipnscast::nostr::net {

class Loop;

struct ClientOptions {
  size_t max_frame_bytes = 1024 * 1024;  // a longer one closes the connection
  Milliseconds connect_timeout{10'000};  // name look-up, TCP, TLS and upgrade together
  // At most this long between pings, at least three quarters of it; dead after two unanswered ones.
  Milliseconds ping_interval{25'000};
  Milliseconds probe_deadline{5'000};  // for an answer after this machine slept
  Access access{};
  // Is told what a relay of the configuration says the time is, when it accepts us; may be null.
  std::shared_ptr<ClockWitness> witness{};
};

// All are called on the net thread and must not block. closed() comes exactly once and last.
struct ClientHandlers {
  std::function<void()> opened;
  std::function<void(std::string frame)> frame;
  std::function<void(Closed)> closed;
};

// One WebSocket connection. Net thread only. Destroying it closes the socket; no handler runs
// afterwards.
class WebSocketClient {
 public:
  virtual ~WebSocketClient() = default;
  // Queues one text frame.
  virtual void send(std::string frame) = 0;
  virtual size_t unsent_bytes() const = 0;
  virtual void pause_reading() = 0;
  virtual void resume_reading() = 0;
};

// Starts to connect: the name is resolved on the dns thread, its addresses are raced (RFC 8305),
// the proxy is spoken to if there is one, then TLS and the upgrade. Failures come through closed(),
// never from within this call.
std::unique_ptr<WebSocketClient> connect(Loop& loop, const RelayUrl& url, ClientOptions options,
                                         ClientHandlers handlers);

}  // namespace ipnscast::nostr::net
