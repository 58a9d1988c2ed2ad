#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/nostr/base/result.h"
#include "ipnscast/nostr/base/strong_id.h"
#include "ipnscast/nostr/net/http/http_message.h"

namespace ipnscast::nostr::net {

class Loop;

using ServerConnectionId = StrongId<struct ServerConnectionTag>;

// What a server does with its clients. All are called on the net thread and must not block: push
// into an inbox. A server that has `http`, and neither `opened` nor `frame`, has no WebSockets: a
// request for one is answered as any other.
struct ServerHandlers {
  std::function<void(HttpRequest, std::shared_ptr<HttpReply>)> http;
  std::function<void(ServerConnectionId, const std::string& peer)> opened;
  // One whole text frame. False stops reading this socket until resume_reading().
  std::function<bool(ServerConnectionId, std::string frame)> frame;
  // What when_drained() waits for. May be empty where nobody calls that.
  std::function<void(ServerConnectionId)> drained;
  std::function<void(ServerConnectionId)> closed;
};

struct ServerOptions {
  std::string address = "127.0.0.1";
  uint16_t port = 0;  // 0 takes a free one
  // Where only this machine can connect, a request whose Host header names somebody else gets 403:
  // see is_our_host(). `host_names`: what else clients call the server.
  bool check_host = true;
  std::vector<std::string> host_names;
  // Beside its own, in the answers by which the server itself refuses a request (400, 403, 413,
  // 431, 503 and the like): what lets a web page read them.
  std::map<std::string, std::string> refusal_headers;
  size_t max_frame_bytes = 1024 * 1024;      // a longer one closes the connection (1009)
  size_t max_body_bytes = 32 * 1024 * 1024;  // a longer one gets 413
  // What the bodies of all requests take until they are answered, and those of one address. Above
  // it a request gets 503.
  size_t max_held_bodies = 96 * 1024 * 1024;
  size_t max_held_bodies_per_address = 64 * 1024 * 1024;
  size_t max_connections = 1000;
  // Of one client, by its IP address; of IPv6 all addresses of a /64 together. 0: no limit of its
  // own.
  size_t max_connections_per_address = 0;
  // Of those above, the ones that speak HTTP. When there is no place for a new one, the one that
  // has done nothing for longest gives way: half a request, an idle one, a reader that has stopped.
  size_t max_http_connections = 256;
  size_t max_http_connections_per_address = 192;
  // Bytes of HTTP answers that all clients have not taken. Above it the slowest reader is cut off.
  size_t max_unsent_http = 64 * 1024 * 1024;
  // A slower reader is sent `last_words` (a frame, or empty) instead of what waits for it, and is
  // closed with 1008; so is one that takes nothing for `max_stall` while
  // when_drained() waits for it.
  size_t max_unsent_bytes = 4 * 1024 * 1024;
  // The same of all clients together, beside the frame that each is being sent. Above it the
  // slowest make room: of those that hold at least their share, first the one whose oldest unsent
  // frame has waited longest.
  size_t max_unsent_total = 256 * 1024 * 1024;
  std::string last_words;
  Milliseconds max_stall{300'000};
  std::string tls_cert_file;  // PEM; with tls_key_file: https and wss
  std::string tls_key_file;
  bool deflate = false;              // compressed messages with clients that offer them (RFC 7692)
  bool compress_on_loopback = true;  // false: those are read, but none is sent over loopback
};

// An HTTP and WebSocket server on the loop's net thread. Thread-safe. Destroying it closes the port
// and all its connections, and returns only when no handler runs any more.
class WebSocketServer {
 public:
  virtual ~WebSocketServer() = default;
  virtual uint16_t port() const = 0;
  // Queues one text frame.
  virtual void send(ServerConnectionId id, std::shared_ptr<const std::string> frame) = 0;
  virtual void close(ServerConnectionId id) = 0;
  // Calls handlers.drained once as soon as at most `bytes` of what was queued for the connection
  // are unsent.
  virtual void when_drained(ServerConnectionId id, size_t bytes) = 0;
  virtual void pause_reading(ServerConnectionId id) = 0;
  virtual void resume_reading(ServerConnectionId id) = 0;
};

// Errc::io when the address is taken or unknown.
Result<std::unique_ptr<WebSocketServer>> listen(Loop& loop, ServerOptions options,
                                                ServerHandlers handlers);

}  // namespace ipnscast::nostr::net
