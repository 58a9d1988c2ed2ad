#pragma once

// Private to nostr/net.
#include <string_view>

#include "ipnscast/nostr/base/bytes.h"

namespace ipnscast::nostr::net {

// Reads a request body in chunked encoding, fed in pieces of any size. Chunk extensions and
// trailers are passed over, 16 KiB of them at most. RFC 9112 section 7.1. Pure.
class ChunkedBody {
 public:
  enum class State { more, done, malformed };

  // Takes from the front of `bytes` what belongs to the body and appends its content to `out`,
  // until the body is done or `out` has `max_bytes`. What follows the body stays in `bytes`, and so
  // does content for which there is no room: State::more with bytes left over means that.
  State feed(std::string_view& bytes, Bytes& out, size_t max_bytes);

 private:
  enum class Step {
    size,
    size_gap,  // white space behind the size
    extension,
    data,
    data_end,
    trailer_start,
    trailer,
    done,
    malformed
  };
  void take(char c);
  void end_line();
  void pass_over();
  void end_size_line();

  Step step_ = Step::size;
  uint64_t left_ = 0;  // of the chunk
  size_t digits_ = 0;
  bool cr_ = false;  // came last, and wants its line feed
  size_t passed_over_ = 0;
};

}  // namespace ipnscast::nostr::net
