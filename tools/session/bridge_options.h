#pragma once

#include "ipnscast/bridge/bridge.h"
#include "ipnscast/bridge/config/settings.h"
#include "ipnscast/tools/session/session.h"

namespace ipnscast::tools {

// The part of the options that sections [bridge] and [relays] fix: names, poll bounds, kinds,
// topic. Errc::invalid for a name that does not parse; Errc::unsupported for settings that this
// version cannot fulfil.
Status fill_bridge_options(const bridge::Settings& settings, bridge::BridgeOptions& options);

// All that `ipnscast bridge` runs with. Errc::invalid, also without a key, relays, gateways or
// names; Errc::unsupported.
Result<bridge::BridgeOptions> bridge_options(const Session& session);

}  // namespace ipnscast::tools
