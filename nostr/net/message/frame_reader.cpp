#include "ipnscast/nostr/net/message/frame_reader.h"

#include <algorithm>

#include "ipnscast/nostr/event/json_text.h"
#include "ipnscast/nostr/net/message/close_code.h"
#include "ipnscast/nostr/net/message/frame_head.h"

namespace ipnscast::nostr::net {
namespace {

constexpr unsigned char kFinal = 0x80;
constexpr unsigned char kReserved = 0x70;
constexpr unsigned char kMasked = 0x80;

FrameReader::Event fault(int code, std::string why) {
  return {FrameReader::Event::Kind::fault, std::move(why), code};
}

}  // namespace

// Two bytes, the longer forms of the length, the mask. RFC 6455 section 5.2
size_t FrameReader::head_size() const {
  if (head_bytes_ < 2) return 2;
  const int length = head_[1] & 0x7f;
  const size_t extended = length == 126 ? 2 : length == 127 ? 8 : 0;
  return 2 + extended + ((head_[1] & kMasked) != 0 ? 4 : 0);
}

std::optional<FrameReader::Event> FrameReader::next(std::span<char>& input) {
  while (true) {
    if (!in_payload_) {
      // The first two bytes are judged before more is waited for.
      while (head_bytes_ < head_size() && !input.empty()) {
        head_[head_bytes_++] = static_cast<unsigned char>(input.front());
        input = input.subspan(1);
        if (head_bytes_ != 2) continue;
        if (auto wrong = begin_frame()) return wrong;
      }
      if (head_bytes_ < head_size()) return std::nullopt;
      const size_t extended = head_size() - 2 - 4;
      left_ = extended == 0 ? head_[1] & 0x7fU : 0;
      for (size_t i = 0; i < extended; ++i) left_ = left_ << 8 | head_[2 + i];
      if (left_ >> 63 != 0) return fault(kCloseProtocol, "a length above 2^63");
      const bool control = (head_[0] & 0x08) != 0;
      // What is compressed is measured when it is read.
      if (!control && !message_.compressed_by(head_[0]) &&
          left_ > max_message_bytes_ - std::min(message_bytes_, max_message_bytes_)) {
        return fault(kCloseTooBig,
                     "a message above " + std::to_string(max_message_bytes_) + " bytes");
      }
      taken_ = 0;
      in_payload_ = true;
    }
    auto event = take_payload(input);
    if (event || input.empty()) return event;
  }
}

std::optional<FrameReader::Event> FrameReader::begin_frame() {
  const unsigned char opcode = head_[0] & 0x0f;
  const bool final = (head_[0] & kFinal) != 0;
  const unsigned char reserved = head_[0] & kReserved;
  const bool first = opcode == kTextFrame || opcode == kBinaryFrame;
  if ((head_[1] & kMasked) == 0) return fault(kCloseProtocol, "a frame that is not masked");
  const bool compressed = reserved == kCompressedBit && first && message_.deflate();
  if (reserved != 0 && !compressed) return fault(kCloseProtocol, "reserved bits are set");
  if ((opcode & 0x08) != 0) {
    if (opcode > kPongFrame) return fault(kCloseProtocol, "an unknown kind of frame");
    if (!final) return fault(kCloseProtocol, "a control frame in fragments");
    if ((head_[1] & 0x7f) > kMaxControlBytes) return fault(kCloseProtocol, "a long control frame");
    control_.clear();
    return std::nullopt;
  }
  if (opcode > kBinaryFrame) return fault(kCloseProtocol, "an unknown kind of frame");
  if (first == in_message_) {
    return fault(kCloseProtocol, first ? "a new message before the end of the last one"
                                       : "a continuation of nothing");
  }
  if (opcode == kBinaryFrame) return fault(kCloseUnsupported, "want text messages");
  if (first) {
    message_begun_ = false;
    message_bytes_ = 0;
  }
  in_message_ = !final;
  return std::nullopt;
}

std::optional<FrameReader::Event> FrameReader::take_payload(std::span<char>& input) {
  const auto size = static_cast<size_t>(std::min<uint64_t>(left_, input.size()));
  const std::span<char> part = input.first(size);
  input = input.subspan(size);
  const unsigned char* const mask = head_.data() + head_size() - 4;
  for (size_t i = 0; i < size; ++i) part[i] = static_cast<char>(part[i] ^ mask[(taken_ + i) & 3]);
  taken_ += size;
  left_ -= size;
  const bool whole = left_ == 0;
  if (!whole && size == 0) return std::nullopt;
  in_payload_ = !whole;
  if (whole) head_bytes_ = 0;
  const std::string_view bytes(part.data(), part.size());
  if ((head_[0] & 0x08) != 0) {
    control_.append(bytes);
    return whole ? end_control() : std::nullopt;
  }
  message_bytes_ += size;
  auto message =
      message_.add({bytes, !std::exchange(message_begun_, true), whole && (head_[0] & kFinal) != 0,
                    static_cast<unsigned char>(head_[0] & kReserved)});
  if (!message) return fault(close_code(message.error().code), message.error().message);
  if (!*message) return std::nullopt;
  if (!valid_utf8(**message)) return fault(kCloseBadData, "it is not UTF-8");
  return Event{Event::Kind::text, std::move(**message), 0};
}

std::optional<FrameReader::Event> FrameReader::end_control() {
  const unsigned char opcode = head_[0] & 0x0f;
  if (opcode == kPingFrame) return Event{Event::Kind::ping, std::move(control_), 0};
  if (opcode == kPongFrame) return Event{Event::Kind::pong, std::move(control_), 0};
  if (control_.empty()) return Event{Event::Kind::close, {}, kCloseNoCode};
  if (control_.size() == 1) return fault(kCloseProtocol, "half a close code");
  const int code =
      static_cast<unsigned char>(control_[0]) * 256 + static_cast<unsigned char>(control_[1]);
  if (!may_be_sent(code)) return fault(kCloseProtocol, "a close code that nobody may send");
  if (!valid_utf8(std::string_view(control_).substr(2)))
    return fault(kCloseBadData, "a reason that is not UTF-8");
  return Event{Event::Kind::close, control_.substr(2), code};
}

}  // namespace ipnscast::nostr::net
