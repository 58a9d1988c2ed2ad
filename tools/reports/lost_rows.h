#pragma once

#include <vector>

#include "ipnscast/sync/state/status.h"
#include "ipnscast/tools/cli/command.h"

namespace ipnscast::tools {

// The publishes of this device that were displaced, one a line; as JSON one object.
void print_lost(Context& context, const sync::IpnsName& name,
                const std::vector<sync::LostPublish>& lost);

// "2 publishes of this device were displaced: ipnscast history NAME --lost"
std::string lost_line(const sync::IpnsName& name, size_t many);

// For a command that works on such a name, once: a line on standard error when there are any. With
// --json it notes how many, for the member "displaced" of what is printed.
void say_lost(Context& context, const sync::IpnsName& name,
              const std::vector<sync::LostPublish>& lost);

}  // namespace ipnscast::tools
