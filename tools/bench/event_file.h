#pragma once

#include <filesystem>
#include <vector>

#include "ipnscast/nostr/base/result.h"
#include "ipnscast/nostr/event/event.h"

namespace ipnscast::tools {

// Events and the frames in which a relay would send them.
struct BenchEvents {
  std::vector<nostr::Event> events;
  std::vector<std::string> frames;
};

// Hints as DESIGN has them, without a record: `count` of one address each, by `keys` authors.
BenchEvents make_bench_events(size_t count, size_t keys);

// One frame a line. Errc::io; Errc::parse for a line that is no event from a relay.
Result<BenchEvents> read_bench_events(const std::filesystem::path& file);
Status write_bench_events(const std::filesystem::path& file, const BenchEvents& events);

// A hint of `author` for the address `d` whose claimed sequence and created_at rise with `version`.
nostr::UnsignedEvent bench_hint(const std::string& d, size_t version);

}  // namespace ipnscast::tools
