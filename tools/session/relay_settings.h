#pragma once

#include "ipnscast/bridge/config/settings.h"
#include "ipnscast/nostr/server/relay_server.h"

namespace ipnscast::tools {

// What the section [relay] makes of the embedded relay, but for its directory.
nostr::server::RelayServerOptions relay_options(const bridge::RelaySettings& settings);

}  // namespace ipnscast::tools
