#pragma once

#include "ipnscast/sync/client.h"
#include "ipnscast/tools/cli/command.h"

namespace ipnscast::tools {

// Prints what became of a publish, a row per node, router and relay, and notes the exit code:
// refused by all relays, or a newer record elsewhere (1), nothing reachable (3), quorum missed or
// queued (4).
void print_outcome(Context& context, const sync::Outcome& outcome);
// The same for a retraction, which has no value.
void print_retraction(Context& context, const sync::Outcome& outcome);

}  // namespace ipnscast::tools
