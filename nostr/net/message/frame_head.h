#pragma once

// Private to nostr/net.
#include <string>
#include <string_view>

namespace ipnscast::nostr::net {

// RFC 6455 section 5.2
constexpr unsigned char kTextFrame = 0x1;
constexpr unsigned char kBinaryFrame = 0x2;
constexpr unsigned char kCloseFrame = 0x8;
constexpr unsigned char kPingFrame = 0x9;
constexpr unsigned char kPongFrame = 0xa;
// Of a control frame's payload, section 5.5.
constexpr size_t kMaxControlBytes = 125;

// What goes before the payload of a server's frame, which is a whole message. RSV1 marks a
// compressed one.
std::string frame_head(unsigned char opcode, size_t payload_bytes, bool compressed = false);

// A whole control frame of a server; its payload is cut at that.
std::string control_frame(unsigned char opcode, std::string_view payload);

// What a close frame carries. The reason is UTF-8 and is cut, at a character, where the frame ends.
std::string close_payload(int code, std::string_view reason);

}  // namespace ipnscast::nostr::net
