#pragma once

// Private to nostr/net.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace ipnscast::nostr::net {

// The first lines of one HTTP/1 request, checked. RFC 9112.
struct RequestHead {
  std::string method;
  std::string path;   // percent-decoded, starts with '/', or "*"
  std::string query;  // as sent, without '?'
  // Names are lower case. The values of a header that came several times are joined with ", ".
  std::map<std::string, std::string> headers;
  uint64_t content_length = 0;
  bool chunked = false;
  bool http_1_1 = true;
  bool keep_alive = true;
  bool expects_continue = false;
};

// Why a request is refused before anybody looks at what it wants.
struct BadRequest {
  int status = 400;
  std::string why;
};

// How long a head may be, its blank line included.
constexpr size_t kMaxRequestHead = 16 * 1024;

// Where the head ends: behind its blank line. `searched` bytes were looked through in an earlier
// call. Nothing while the blank line has not come.
std::optional<size_t> request_head_end(std::string_view bytes, size_t searched = 0);

// `text` ends with the blank line. It takes one reading of a request only: a message whose length
// two readers could understand differently is refused. RFC 9112 section 6.3.
tl::expected<RequestHead, BadRequest> parse_request_head(std::string_view text);

// Whether a comma-separated header holds this word, in either case.
bool has_token(std::string_view header, std::string_view token);

// A request for a WebSocket: the key to answer, the extensions it offers. RFC 6455 section 4.2.1.
struct WebSocketWish {
  std::string key;
  std::string extensions;
};
// Nothing for a request that does not ask for one; status 400 or 426 for one that asks wrongly.
tl::expected<std::optional<WebSocketWish>, BadRequest> websocket_wish(const RequestHead& head);

}  // namespace ipnscast::nostr::net
