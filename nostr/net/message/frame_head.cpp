#include "ipnscast/nostr/net/message/frame_head.h"

#include "ipnscast/nostr/net/message/close_code.h"
#include "ipnscast/nostr/net/message/message_reader.h"

namespace ipnscast::nostr::net {
namespace {

bool continues_character(char byte) { return (byte & 0xc0) == 0x80; }

}  // namespace

std::string frame_head(unsigned char opcode, size_t payload_bytes, bool compressed) {
  std::string out(1, static_cast<char>(0x80 | (compressed ? kCompressedBit : 0) | opcode));
  const int bytes = payload_bytes < 126 ? 0 : payload_bytes <= 0xffff ? 2 : 8;
  out += static_cast<char>(bytes == 0 ? payload_bytes : bytes == 2 ? 126 : 127);
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    out += static_cast<char>(payload_bytes >> shift & 0xff);
  return out;
}

std::string control_frame(unsigned char opcode, std::string_view payload) {
  const std::string_view kept = payload.substr(0, kMaxControlBytes);
  return frame_head(opcode, kept.size()).append(kept);
}

std::string close_payload(int code, std::string_view reason) {
  if (code == kCloseNoCode) return {};
  std::string out{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  size_t size = std::min(reason.size(), kMaxControlBytes - out.size());
  while (size > 0 && size < reason.size() && continues_character(reason[size])) --size;
  return out.append(reason.substr(0, size));
}

}  // namespace ipnscast::nostr::net
