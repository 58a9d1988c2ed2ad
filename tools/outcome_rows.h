#pragma once

#include "sync/client.h"
#include "tools/command.h"

namespace ipnscast::tools {

// Prints what became of a publish, a row per node, router and relay, and notes the exit code:
// nothing reachable (3), quorum missed (4).
void print_outcome(Context& context, const sync::Outcome& outcome);

}  // namespace ipnscast::tools
