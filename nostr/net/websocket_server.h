#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "nostr/base/bytes.h"
#include "nostr/base/clock.h"
#include "nostr/base/result.h"
#include "nostr/base/strong_id.h"

namespace ipnscast::nostr::net {

class Loop;

using ServerConnectionId = StrongId<struct ServerConnectionTag>;

// One HTTP request, whole. Header names are lower case.
struct HttpRequest {
  std::string method;  // GET, HEAD, POST, PUT, DELETE, OPTIONS
  std::string path;    // percent-decoded, starts with '/'
  std::string query;   // encoded, without '?'; see query_value()
  std::map<std::string, std::string>
      headers;  // accept, content-type, if-none-match, cache-control, authorization,
                // origin, host, range, if-range, last-event-id
  Bytes body;
  std::string peer;  // the client's address
};

// The percent-decoded value of a query parameter, or nothing.
std::optional<std::string> query_value(const HttpRequest& request, std::string_view name);

struct HttpResponse {
  int status = 200;
  std::map<std::string, std::string> headers;  // content-length and connection are ours
  Bytes body;
};

// The place where the answer goes. Thread-safe; the last release without an answer sends 500. Calls
// after the client left do nothing.
class HttpReply {
 public:
  virtual ~HttpReply() = default;
  // The whole answer at once.
  virtual void send(HttpResponse response) = 0;
  // A streamed one (chunked): begin, then writes, then finish. write() waits while more than 1 MiB
  // is unsent, so it must not be called on the net thread; it returns false once the client has
  // gone. abort() cuts the connection, which tells the client that the stream is not whole.
  virtual void begin(int status, std::map<std::string, std::string> headers) = 0;
  virtual bool write(Bytes chunk) = 0;
  virtual void finish() = 0;
  virtual void abort() = 0;
  virtual bool client_gone() const = 0;
};

// What a server does with its clients. All are called on the net thread and must not block: push
// into an inbox.
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
  uint16_t port = 0;                         // 0 takes a free one
  size_t max_frame_bytes = 1024 * 1024;      // a longer one closes the connection (1009)
  size_t max_body_bytes = 32 * 1024 * 1024;  // a longer one gets 413
  size_t max_connections = 1000;
  size_t max_connections_per_address = 0;  // of one IP address; 0: no limit of its own
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
