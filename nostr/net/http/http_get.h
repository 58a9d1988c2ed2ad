#pragma once

#include <map>
#include <string>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/nostr/event/relay_url.h"
#include "ipnscast/nostr/net/stream/raw_stream.h"

// Private to nostr.
namespace ipnscast::nostr::net {

// What came back for one request.
struct HttpAnswer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case, the last of several
  std::string body;
};

// The head of an answer, without the empty line that ends it. Errc::parse.
Result<HttpAnswer> parse_http_head(std::string_view head);

// Sends GET for the relay's path with these header lines (each "Name: value\r\n") and reads the
// answer: its head only when `head_only`, else as much of the body as comes before the stream ends,
// `max_body` bytes at most. Errc::parse, Errc::too_large, and what RawStream says.
Result<HttpAnswer> http_get(RawStream& stream, const RelayUrl& url, std::string_view header_lines,
                            bool head_only, size_t max_body, const Patience& patience);

}  // namespace ipnscast::nostr::net
