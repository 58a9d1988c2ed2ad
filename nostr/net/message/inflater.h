#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "ipnscast/nostr/base/result.h"

struct z_stream_s;

namespace ipnscast::nostr::net {

// The receiving half of permessage-deflate (RFC 7692) for one connection: what came in compressed
// messages, as text, up to a bound. Takes any window and context takeover, which costs about 40 KiB
// from the first compressed message on, whatever arrives.
class Inflater {
 public:
  Inflater();
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // Appends to `out` what the next part of a message holds; `last` ends the message.
  // Errc::too_large once `out` would pass `max_bytes`, before that memory is taken; Errc::parse for
  // what is no deflate stream. After an error the connection has to end.
  Status add(std::string_view part, bool last, size_t max_bytes, std::string& out);

 private:
  Status run(std::string_view input, size_t max_bytes, std::string& out);
  std::unique_ptr<z_stream_s> stream_;  // set up by the first part
  bool whole_stream_ = false;           // a last block ended with what was read
};

}  // namespace ipnscast::nostr::net
