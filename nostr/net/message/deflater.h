#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct z_stream_s;

namespace ipnscast::nostr::net {

// The sending half of permessage-deflate (RFC 7692), without context takeover: each message stands
// alone, so that one of these serves all connections of a thread and a connection costs no memory.
class Deflater {
 public:
  Deflater();
  ~Deflater();
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  // The payload of a compressed message; nothing when that would not be shorter.
  std::optional<std::string> message(std::string_view text);

 private:
  std::unique_ptr<z_stream_s> stream_;  // set up by the first message
};

}  // namespace ipnscast::nostr::net
