#pragma once

#include "ipnscast/bridge/config/settings.h"
#include "ipnscast/bridge/node/node_server.h"

namespace ipnscast::tools {

// Puts the section [node] of the configuration into the options of the embedded node. Errc::invalid
// with the key that makes no sense.
Status fill_node_options(const bridge::NodeSettings& settings, bridge::NodeOptions& options);

}  // namespace ipnscast::tools
