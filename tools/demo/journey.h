#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "ipnscast/nostr/base/clock.h"

namespace ipnscast::tools::demo {

using Microseconds = std::chrono::microseconds;

// One hop of a change on its way from device to device, as it was measured.
struct Hop {
  std::string what;
  std::string where;                 // a URL, or who did it
  std::optional<Microseconds> took;  // the hop itself
  std::optional<Microseconds> at;    // since the journey began
};

// The way of one change.
struct Journey {
  std::string title;
  std::string name;
  std::string sequence;
  std::string cid;
  std::vector<Hop> hops;
};

// A table for people, on standard output.
void print_journey(const Journey& journey);

nlohmann::ordered_json to_json(const Journey& journey);

}  // namespace ipnscast::tools::demo
