#pragma once

#include "nostr/probe/report.h"

// What a report means to somebody who wants to send hints through the relay.
namespace ipnscast::nostr::probe {

struct Reason {
  int points = 0;      // taken off the hundred
  bool unfit = false;  // enough by itself not to use the relay for hints
  std::string text;
};

struct Verdict {
  bool fit = false;
  int score = 0;                // 0 to 100; below 50 when unfit
  std::vector<Reason> reasons;  // why not a hundred, the worst first
};

// Fit means: it takes one of the hint kinds (with AUTH if need be), serves it to its author
// unaltered and later too, lets the newest version win, and tells listeners. Of an unreachable
// relay nothing is known: score 0.
Verdict judge(const Report& report);

}  // namespace ipnscast::nostr::probe
