#pragma once

#include <cstddef>

#include "ipnscast/nostr/base/result.h"

namespace ipnscast::tools {

// Per second. The embedded relay on loopback verifies and stores each event in all of them.
struct PublishResult {
  double figure = 0;  // through a pool, from publish() to the report, CPU seconds of all threads
  double limit = 0;   // a bare WebSocket that sends the same frames and counts the OKs, the same
  double wall = 0;    // the figure by the clock on the wall
  double wall_limit = 0;
  double signing = 0;  // events signed, CPU seconds
  double ratio() const { return figure / limit; }
};

// Publishes `events` through each, in turns of 500. Errc::timeout, Errc::internal when an event was
// not stored.
Result<PublishResult> bench_publish(size_t events);

}  // namespace ipnscast::tools
