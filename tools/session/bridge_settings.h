#pragma once

#include "ipnscast/bridge/bridge.h"
#include "ipnscast/bridge/config/settings.h"

namespace ipnscast::tools {

// All that the configuration says, but for relays and gateways. Errc::invalid for private hints,
// which nobody else could read.
Status fill_bridge_options(const bridge::Settings& settings, bridge::BridgeOptions& options);

}  // namespace ipnscast::tools
