#pragma once

#include <vector>

#include "ipnscast/sync/state/status.h"
#include "ipnscast/tools/cli/command.h"

namespace ipnscast::tools {

// The publishes of this device that were displaced, one a line; as JSON one object.
void print_lost(Context& context, const sync::IpnsName& name,
                const std::vector<sync::LostPublish>& lost);

// One line on standard error for a command that works on such a name. Nothing when there are none.
void warn_of_lost(const sync::IpnsName& name, const std::vector<sync::LostPublish>& lost);

}  // namespace ipnscast::tools
