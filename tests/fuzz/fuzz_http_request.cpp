// The head and the chunked body of a request to our HTTP server: what any client sends.
#include <cstdlib>

#include "ipnscast/nostr/net/http/chunked_body.h"
#include "ipnscast/nostr/net/http/http_head.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ipnscast;
  using namespace ipnscast::nostr::net;
  std::string_view bytes = as_text({data, size});
  const auto end = request_head_end(bytes);
  if (!end) return 0;
  const auto head = parse_request_head(bytes.substr(0, *end));
  if (!head) return 0;
  if (head->path.empty() || (head->path != "*" && head->path.front() != '/')) std::abort();
  if (head->chunked && head->content_length != 0) std::abort();
  (void)websocket_wish(*head);
  // The same body in one piece and byte by byte.
  constexpr size_t kMost = 1000;
  bytes.remove_prefix(*end);
  ChunkedBody whole;
  ChunkedBody pieces;
  Bytes out;
  Bytes out_of_pieces;
  std::string_view rest = bytes;
  const auto state = whole.feed(rest, out, kMost);
  auto state_of_pieces = ChunkedBody::State::more;
  for (size_t at = 0; at < bytes.size() && state_of_pieces == ChunkedBody::State::more; ++at) {
    std::string_view piece = bytes.substr(at, 1);
    state_of_pieces = pieces.feed(piece, out_of_pieces, kMost);
    if (!piece.empty()) break;  // no room
  }
  if (state != state_of_pieces || out != out_of_pieces || out.size() > kMost) std::abort();
  return 0;
}
