#include <vector>

#include "ipnscast/sync/source/push/event_stream.h"
#include "ipnscast/sync/source/push/push_words.h"

// The same stream, as a whole and in two pieces, gives the same events; none is longer than told.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ipnscast;
  using sync::push::EventStream;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  EventStream whole;
  std::vector<std::string> events;
  whole.add(text, [&](const EventStream::Event& event) {
    if (event.data.size() > EventStream::kMaxEvent) __builtin_trap();
    events.push_back(event.type + "\n" + event.data);
    (void)sync::push::read_update(event.data);
  });
  EventStream pieces;
  size_t at = 0;
  const auto same = [&](const EventStream::Event& event) {
    if (at == events.size() || events[at++] != event.type + "\n" + event.data) __builtin_trap();
  };
  const size_t cut = size == 0 ? 0 : data[0] % (size + 1);
  pieces.add(text.substr(0, cut), same);
  pieces.add(text.substr(cut), same);
  if (at != events.size() || pieces.last_id() != whole.last_id() ||
      pieces.retry() != whole.retry() || pieces.dropped() != whole.dropped())
    __builtin_trap();
  const auto word = sync::push::read_word(text);
  if (word && text.size() > sync::push::kMaxFrame) __builtin_trap();
  return 0;
}
