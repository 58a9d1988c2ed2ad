// The frames that any WebSocket client sends to our server: the same in one piece and byte by byte,
// messages are UTF-8 and within the bound, and a connection ends with a code that may be sent.
#include <cstdlib>
#include <vector>

#include "ipnscast/nostr/base/bytes.h"
#include "ipnscast/nostr/event/json_text.h"
#include "ipnscast/nostr/net/message/close_code.h"
#include "ipnscast/nostr/net/message/frame_reader.h"

using namespace ipnscast;
using namespace ipnscast::nostr;
using namespace ipnscast::nostr::net;

namespace {

constexpr size_t kMost = 1000;
using Kind = FrameReader::Event::Kind;

struct Log {
  std::vector<FrameReader::Event> events;
  bool over = false;

  void feed(FrameReader& reader, std::span<char> input) {
    while (!over) {
      auto event = reader.next(input);
      if (!event) {
        if (!input.empty()) std::abort();
        return;
      }
      over = event->kind == Kind::close || event->kind == Kind::fault;
      events.push_back(std::move(*event));
    }
  }
};

void check(const FrameReader::Event& event) {
  const bool bounded = event.payload.size() <= (event.kind == Kind::text ? kMost : 125);
  const bool text = event.kind == Kind::ping || event.kind == Kind::pong;
  if (!bounded || (!text && !valid_utf8(event.payload))) std::abort();
  const bool ends = event.kind == Kind::close || event.kind == Kind::fault;
  if (ends && event.code != kCloseNoCode && !may_be_sent(event.code)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  FrameReader whole(kMost);
  FrameReader pieces(kMost);
  if ((data[0] & 1) != 0) {
    whole.agree_on_deflate();
    pieces.agree_on_deflate();
  }
  std::string bytes(as_text({data + 1, size - 1}));
  std::string same = bytes;
  Log at_once;
  Log by_bytes;
  at_once.feed(whole, bytes);
  for (char& byte : same) by_bytes.feed(pieces, {&byte, 1});
  if (at_once.events.size() != by_bytes.events.size()) std::abort();
  for (size_t i = 0; i < at_once.events.size(); ++i) {
    const auto& one = at_once.events[i];
    const auto& other = by_bytes.events[i];
    if (one.kind != other.kind || one.payload != other.payload || one.code != other.code)
      std::abort();
    check(one);
  }
  return 0;
}
