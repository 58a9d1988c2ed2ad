#pragma once

#include <cstddef>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/nostr/base/result.h"

namespace ipnscast::tools {

// A client that follows many names, and does nothing for them but wait and poll.
struct NamesFigures {
  double seconds = 0;  // until the first version of each was handed over
  double mib = 0;      // resident memory that they take, when all is quiet
  double polls = 0;    // a second, in the time that was measured
  double core = 0;     // of one, in that time
  double micros_a_poll() const { return polls > 0 ? core / polls * 1e6 : 0; }
};

// With a relay that had every name's last change, or without relays; gateway and relay in a process
// of their own. To be called before the process has threads. Errc::timeout after ten minutes.
Result<NamesFigures> bench_names(size_t names, bool relay, Seconds measured);

}  // namespace ipnscast::tools
