#pragma once

#include <cstddef>

#include "ipnscast/nostr/base/result.h"

namespace ipnscast::tools {

// Per second of process CPU time.
struct FilterResult {
  double figure = 0;  // events told whether they match the filters of so many names
  double limit = 0;   // the same question put to one hash table of their d values
  double ratio() const { return figure / limit; }
};

// Half of the events are for watched names. Errc::internal when a verdict is wrong.
Result<FilterResult> bench_filter(size_t names);

}  // namespace ipnscast::tools
