#pragma once

#include <string>
#include <vector>

#include "ipnscast/nostr/base/result.h"

namespace ipnscast::tools {

// One figure beside the number that the requirements give it.
struct SyncFigure {
  std::string what;
  std::string requirements;  // "S1-08"
  double figure = 0;
  double limit = 0;
  std::string unit;       // "ms" or "%"
  bool at_least = false;  // the figure may not be below the limit; otherwise not above it

  bool met() const { return at_least ? figure >= limit : figure <= limit; }
};

// Resolves and fetches so many names, each for the first time and then over and over, from five
// embedded nodes on loopback of which two are gone, all in this process and with files on disk.
// What a network takes on top is not in it; tests/sim/resolver_pace_test.cpp has the round trips.
Result<std::vector<SyncFigure>> bench_sync(size_t names);

}  // namespace ipnscast::tools
