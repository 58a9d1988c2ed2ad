#pragma once

// Private to nostr/net.
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "ipnscast/nostr/base/result.h"
#include "ipnscast/nostr/net/message/inflater.h"

namespace ipnscast::nostr::net {

// RSV1 in the first frame of a compressed message. RFC 7692 section 7
constexpr unsigned char kCompressedBit = 0x40;

// Puts WebSocket messages together from the parts that lws hands out, and decompresses them where
// that was agreed on. Holds `max_bytes` of a message at most, counted decompressed.
class MessageReader {
 public:
  struct Part {
    std::string_view bytes;
    bool first = false;  // of the message
    bool last = false;
    unsigned char reserved = 0;  // the frame's RSV bits
  };

  explicit MessageReader(size_t max_bytes) : max_bytes_(max_bytes) {}

  // From here on the peer may send compressed messages. RFC 7692
  void agree_on_deflate() { deflate_ = true; }
  bool deflate() const { return deflate_; }
  // Whether a frame with these reserved bits belongs to a compressed message: by its own bit where
  // it is the first, by that of the first one where it goes on.
  bool compressed_by(unsigned char reserved) const {
    return deflate_ && ((reserved & kCompressedBit) != 0 || (compressed_ && !text_over_));
  }

  // The message once its last part has come. Errc::too_large, Errc::unsupported (bits that nobody
  // agreed on), Errc::parse (bad deflate); after an error the connection has to end: see
  // close_code(). Whether it is UTF-8 is not looked at.
  Result<std::optional<std::string>> add(const Part& part);

 private:
  const size_t max_bytes_;
  bool deflate_ = false;
  bool compressed_ = false;  // this message
  bool text_over_ = true;    // no message has begun and waits for its end
  std::string text_;
  std::unique_ptr<Inflater> inflater_;  // from the first compressed message on
};

}  // namespace ipnscast::nostr::net
