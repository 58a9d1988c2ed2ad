#pragma once

#include <string>
#include <vector>

// What a probe's findings come to, of relays and of gateways.
namespace ipnscast::nostr::probe {

struct Reason {
  int points = 0;      // taken off the hundred
  bool unfit = false;  // enough by itself not to use what was probed
  std::string text;
};

struct Verdict {
  bool fit = false;
  int score = 0;                // 0 to 100; below 50 when unfit
  std::vector<Reason> reasons;  // why not a hundred, the worst first
};

Verdict verdict_of(std::vector<Reason> reasons);
// Nothing is known of it: score 0.
Verdict unreachable_verdict(std::string text);

}  // namespace ipnscast::nostr::probe
