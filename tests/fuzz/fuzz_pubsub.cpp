#include "ipnscast/sync/gateway/kubo_pubsub.h"

// The same stream, as a whole and in two pieces, gives the same lines; no line is longer than told.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ipnscast;
  using namespace ipnscast::sync;
  static const auto kName =
      IpnsName::parse("k51qzi5uqu5dljtg5upm7x7ugan9lql3ewyknv4r4mhhkwzn8n7cnbd1unfwgq");
  const ByteView bytes{data, size};
  gateway::PubsubLines whole;
  std::vector<std::string> lines;
  const size_t dropped = whole.add(bytes, [&](std::string_view line) {
    if (line.size() > gateway::PubsubLines::kMaxLine) __builtin_trap();
    lines.emplace_back(line);
  });
  gateway::PubsubLines pieces;
  size_t at = 0;
  const auto same = [&](std::string_view line) {
    if (at == lines.size() || lines[at++] != line) __builtin_trap();
  };
  const size_t cut = size == 0 ? 0 : data[0] % (size + 1);
  const size_t before = pieces.add(bytes.first(cut), same);
  if (before + pieces.add(bytes.subspan(cut), same) != dropped || at != lines.size())
    __builtin_trap();
  for (const std::string& line : lines) {
    const auto message = gateway::read_kubo_pubsub_line(line);
    if (message && message->size() > line.size()) __builtin_trap();
    if (message && gateway::read_pubsub_record(*kName, *message, {1'790'000'000'000}))
      __builtin_trap();
  }
  if (gateway::read_pubsub_record(*kName, bytes, {1'790'000'000'000})) __builtin_trap();
  return 0;
}
