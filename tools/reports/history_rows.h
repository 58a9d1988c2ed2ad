#pragma once

#include <vector>

#include "ipnscast/sync/state/status.h"
#include "ipnscast/tools/cli/command.h"

namespace ipnscast::tools {

// The versions of a name, newest first ("published": by this device, and nobody watches here):
// those that were heard, with what became of each, and then the roots that were published from here
// and are not among them. As JSON one object with both.
void print_history(Context& context, const sync::IpnsName& name,
                   const std::vector<sync::HeardVersion>& heard,
                   const std::vector<sync::Cid>& published);

}  // namespace ipnscast::tools
