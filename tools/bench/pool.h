#pragma once

#include <cstddef>

#include "ipnscast/nostr/base/result.h"

namespace ipnscast::tools {

struct PoolBenchResult {
  double seconds = 0;       // until every subscription was live at every relay
  double mib_at_start = 0;  // of resident memory, before the pool
  double mib_live = 0;      // when all were live
  double mib_most = 0;      // at any time
};

// One pool with so many relays, each with a connection of its own, and so many subscriptions, all
// live at all relays. The relays are one embedded relay in a process of its own, under so many
// addresses. To be called before the process has threads. Errc::timeout after two minutes.
Result<PoolBenchResult> bench_pool(size_t relays, size_t subscriptions);

}  // namespace ipnscast::tools
