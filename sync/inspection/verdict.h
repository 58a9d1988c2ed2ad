#pragma once

#include "ipnscast/nostr/probe/score.h"
#include "ipnscast/sync/inspection/inspection.h"

namespace ipnscast::sync::inspection {

using nostr::probe::Reason;
using nostr::probe::Verdict;

// Fit means: blocks or records came that verify, or it is a router that answers as one; and nothing
// came that was a lie. A gateway of plain files alone is not: it can be a last resort only.
Verdict judge(const Report& report);

}  // namespace ipnscast::sync::inspection
