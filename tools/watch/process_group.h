#pragma once

#include <sys/types.h>

#include "ipnscast/nostr/base/clock.h"

namespace ipnscast::tools {

// Ends every process of the group: SIGTERM, and SIGKILL for what still runs after `grace`. Waits.
// The group's leader is a child of ours that was not waited for yet, so that the id stays its own.
void end_process_group(pid_t group, Milliseconds grace);

}  // namespace ipnscast::tools
