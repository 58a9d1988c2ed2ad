#pragma once

#include <optional>
#include <vector>

#include "ipnscast/sync/client.h"
#include "ipnscast/tools/cli/command.h"

namespace ipnscast::tools {

// Prints what became of a publish, a row per node, router and relay, and notes the exit code:
// refused by all relays, or a newer record elsewhere (1), nothing reachable (3), quorum missed or
// queued (4). `receipts`: other devices that have taken it in, of those that were waited for.
void print_outcome(Context& context, const sync::Outcome& outcome,
                   const std::optional<std::vector<sync::Device>>& receipts = {});
// The same for a retraction, which has no value.
void print_retraction(Context& context, const sync::Outcome& outcome);

}  // namespace ipnscast::tools
