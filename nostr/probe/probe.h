#pragma once

#include "ipnscast/nostr/probe/report.h"

// Start here. A probe finds out what a relay really does with the kinds of events that carry
// hints: it writes a few, reads them back as their author and as a stranger, and watches what
// arrives. It believes nothing that the relay says about itself.
//
// It is polite: under a hundred small messages one after the other, keys that exist for this probe
// only, and what it wrote is deleted again (NIP-09), also when it was cut short.
namespace ipnscast::nostr::probe {

struct Options {
  std::vector<int> kinds = {30078, 30079};  // addressable ones
  Milliseconds timeout{30'000};             // the whole probe, cleaning up included
  Milliseconds patience{5'000};             // for any one answer
  Milliseconds read_back{2'000};            // after the last event
  size_t echoes = 8;                        // events that a listener waits for
};

// Blocks until it is done, `options.timeout` at most. Not for event loops.
Report run(Wire& wire, const RelayUrl& url, const Options& options);

}  // namespace ipnscast::nostr::probe
