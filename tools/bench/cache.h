#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "ipnscast/nostr/base/result.h"

namespace ipnscast::tools {

// Of one kind of cache hit.
struct CacheHit {
  std::string what;
  double target = 0;  // microseconds
  double median = 0;
  double p99 = 0;
};

// Records and blocks that are there, each asked for again and again, wall clock. What is on disk is
// written below `directory` and removed again. Errc::internal when something was not there,
// Errc::io.
Result<std::vector<CacheHit>> bench_cache(const std::filesystem::path& directory);

}  // namespace ipnscast::tools
