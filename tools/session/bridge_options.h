#pragma once

#include "ipnscast/bridge/bridge.h"
#include "ipnscast/tools/session/session.h"

namespace ipnscast::tools {

// All that `ipnscast bridge` runs with. Errc::invalid, also without a key, relays, gateways or
// names.
Result<bridge::BridgeOptions> bridge_options(const Session& session);

}  // namespace ipnscast::tools
