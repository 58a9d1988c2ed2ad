#pragma once

#include <cstddef>

#include "nostr/base/result.h"

namespace ipnscast::tools {

struct IngestOptions {
  size_t events = 40000;
  size_t keys = 2000;  // distinct authors
  size_t workers = 1;
};

// Per second of process CPU time, so that other programs on the machine hardly matter.
struct IngestResult {
  double verified = 0;  // frames in memory to verified events, as a verification worker does it
  double bare =
      0;  // parsing the x-only key and the Schnorr check alone, for the same events in the same run
  double ratio() const { return verified / bare; }
  double overhead_microseconds() const { return 1e6 / verified - 1e6 / bare; }
};

// Runs both in turns over slices of the events, on so many threads; the median slice counts.
// Errc::internal when an event did not verify.
Result<IngestResult> bench_ingest(const IngestOptions& options);

}  // namespace ipnscast::tools
