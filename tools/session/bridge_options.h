#pragma once

#include "ipnscast/bridge/bridge.h"
#include "ipnscast/tools/session/session.h"

namespace ipnscast::tools {

// Where the bridge works, beside whatever else works in this state directory.
std::filesystem::path bridge_directory(const std::filesystem::path& state_dir);

// All that `ipnscast bridge` runs with. Errc::invalid, also without a key, relays, gateways or
// names.
Result<bridge::BridgeOptions> bridge_options(const Session& session);

}  // namespace ipnscast::tools
