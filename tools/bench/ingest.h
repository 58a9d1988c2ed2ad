#pragma once

#include <cstddef>

#include "ipnscast/tools/bench/event_file.h"

namespace ipnscast::tools {

// All per second of process CPU time.
struct IngestResult {
  double figure = 0;
  double limit = 0;  // parsing the x-only key and the Schnorr check alone, in the same run
  double ratio() const { return figure / limit; }
};

// From frames in memory to verified events, as a verification worker does it, on so many threads.
// It and its limit take turns over slices of the events; the median slice counts. Errc::internal
// when an event did not verify.
Result<IngestResult> bench_distinct(const BenchEvents& input, size_t workers);

// Further copies of verified events, from nine more relays. The limit is that of verifying each.
Result<IngestResult> bench_duplicates(const BenchEvents& input);

// A thousand versions of one address with rising sequences, waiting at one worker.
struct BurstResult {
  IngestResult rate;
  size_t versions = 0;
  size_t signatures = 0;  // verified for them
};
Result<BurstResult> bench_burst();

}  // namespace ipnscast::tools
