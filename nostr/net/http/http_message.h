#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "ipnscast/nostr/base/bytes.h"

namespace ipnscast::nostr::net {

// One HTTP request, whole. Header names are lower case.
struct HttpRequest {
  std::string method;  // as sent: GET, HEAD, POST, PUT, DELETE, OPTIONS or any other
  std::string path;    // percent-decoded, starts with '/'; "*" for OPTIONS of the server itself
  std::string query;   // as sent, without '?'; see query_value()
  // All of them; the values of one that came several times are joined with ", ".
  std::map<std::string, std::string> headers;
  Bytes body;
  std::string peer;            // the client's address
  std::shared_ptr<void> held;  // the room that the body takes; goes with the request
};

// The percent-decoded value of a query parameter, or nothing.
std::optional<std::string> query_value(const HttpRequest& request, std::string_view name);

struct HttpResponse {
  int status = 200;
  std::map<std::string, std::string> headers;  // content-length and connection are ours
  Bytes body;
};

// The place where the answer goes. Thread-safe; the last release without an answer sends 500, and
// with a stream that is not finished cuts it. Calls after the client left do nothing.
class HttpReply {
 public:
  virtual ~HttpReply() = default;
  // The whole answer at once.
  virtual void send(HttpResponse response) = 0;
  // A streamed one (chunked): begin, then writes, then finish. None of them waits; write() returns
  // false once the client has gone, or wants no body. A writer stops while the reply is full(), so
  // that a client that does not read takes neither memory nor a thread: when_room() calls back,
  // once, when it may go on or the client has gone, on the net thread or at once on this one.
  // abort() cuts the connection, which tells the client that the stream is not whole.
  virtual void begin(int status, std::map<std::string, std::string> headers) = 0;
  virtual bool write(Bytes chunk) = 0;
  virtual bool full() const = 0;
  virtual void when_room(std::function<void()> call) = 0;
  virtual void finish() = 0;
  virtual void abort() = 0;
  virtual bool client_gone() const = 0;
};

}  // namespace ipnscast::nostr::net
