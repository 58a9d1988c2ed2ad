#pragma once

// Private to nostr/net.
#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "ipnscast/nostr/net/message/message_reader.h"

namespace ipnscast::nostr::net {

// Reads what a WebSocket client sends, from pieces of any size, and checks all that RFC 6455 asks
// of a client: libwebsockets 4.1.6 and 4.3 take unmasked frames and hang up at others without a
// word.
class FrameReader {
 public:
  struct Event {
    enum class Kind {
      text,   // a whole message
      ping,   // wants its payload back
      pong,   //
      close,  // `code` is kCloseNoCode where the client gave none; the payload is its reason
      fault,  // the client broke the protocol: `code` says how, the payload is a word about it
    };
    Kind kind = Kind::text;
    std::string payload;
    int code = 0;
  };

  explicit FrameReader(size_t max_message_bytes)
      : message_(max_message_bytes), max_message_bytes_(max_message_bytes) {}

  // From here on the client may send compressed messages. RFC 7692
  void agree_on_deflate() { message_.agree_on_deflate(); }
  bool deflate() const { return message_.deflate(); }

  // Takes bytes from the beginning of `input`, which it may alter, up to the end of an event.
  // Nothing when it took all of them and more have to come. Nothing may be read behind a close or a
  // fault.
  std::optional<Event> next(std::span<char>& input);

 private:
  std::optional<Event> begin_frame();
  std::optional<Event> take_payload(std::span<char>& input);
  std::optional<Event> end_control();
  size_t head_size() const;

  MessageReader message_;
  const size_t max_message_bytes_;

  std::array<unsigned char, 14> head_{};  // of the frame that is being read
  size_t head_bytes_ = 0;                 // that have come
  bool in_payload_ = false;
  uint64_t left_ = 0;           // bytes of the payload that are to come
  uint64_t taken_ = 0;          // and those that came: where in the mask it is
  bool in_message_ = false;     // a fragmented message waits for its next frame
  bool message_begun_ = false;  // the first bytes of the message have been added
  size_t message_bytes_ = 0;    // of earlier frames of this message, as they were sent
  std::string control_;         // the payload of a ping, a pong or a close
};

}  // namespace ipnscast::nostr::net
