#pragma once

#include <functional>
#include <memory>
#include <string>

#include "nostr/base/clock.h"
#include "nostr/base/result.h"
#include "nostr/relay_url.h"

namespace ipnscast::nostr::net {

class Loop;

// Why a connection ended or never came to be: decides how long to wait before the next try.
enum class CloseReason { local, dns, refused, timeout, tls, http_status, remote, too_large, dead };

struct Closed {
  CloseReason reason = CloseReason::remote;
  int code = 0;      // the HTTP status or the WebSocket close code, when there was one
  std::string text;  // for the person who has to act
};

struct ClientOptions {
  size_t max_frame_bytes = 1024 * 1024;  // a longer one closes the connection
  Milliseconds connect_timeout{10'000};  // name look-up, TCP, TLS and upgrade together
  Milliseconds ping_interval{25'000};    // dead after two unanswered ones
  std::string ca_file;                   // PEM; empty: the system's
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

// Starts to connect: the name is resolved on the dns thread, then the socket opens. Failures come
// through closed().
std::unique_ptr<WebSocketClient> connect(Loop& loop, const RelayUrl& url, ClientOptions options,
                                         ClientHandlers handlers);

}  // namespace ipnscast::nostr::net
