#pragma once

#include "bridge/node/node_server.h"
#include "bridge/settings.h"

namespace ipnscast::tools {

// Puts the section [node] of the configuration into the options of the embedded node. Errc::invalid
// with the key that makes no sense.
Status fill_node_options(const bridge::NodeSettings& settings, bridge::NodeOptions& options);

}  // namespace ipnscast::tools
