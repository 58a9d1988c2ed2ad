#pragma once

#include "ipnscast/nostr/probe/report.h"
#include "ipnscast/nostr/probe/score.h"

// What a report means to somebody who wants to send hints through the relay.
namespace ipnscast::nostr::probe {

// Fit means: it takes one of the hint kinds (with AUTH if need be), serves it to its author
// unaltered and later too, lets the newest version win, and tells listeners. Of an unreachable
// relay nothing is known: score 0.
Verdict judge(const Report& report);

}  // namespace ipnscast::nostr::probe
