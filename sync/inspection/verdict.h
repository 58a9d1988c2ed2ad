#pragma once

#include "sync/inspection/inspection.h"

namespace ipnscast::sync::inspection {

struct Reason {
  int points = 0;      // taken off the hundred
  bool unfit = false;  // enough by itself not to use it
  std::string text;
};

struct Verdict {
  bool fit = false;
  int score = 0;                // 0 to 100; below 50 when unfit
  std::vector<Reason> reasons;  // why not a hundred, the worst first
};

// Fit means: blocks or records came that verify, or it is a router that answers as one; and nothing
// came that was a lie. A gateway of plain files alone is not: it can be a last resort only.
Verdict judge(const Report& report);

}  // namespace ipnscast::sync::inspection
