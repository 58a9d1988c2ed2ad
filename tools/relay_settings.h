#pragma once

#include "bridge/settings.h"
#include "nostr/server/relay_server.h"

namespace ipnscast::tools {

// Puts the section [relay] of the configuration into the options of the embedded relay.
// Errc::invalid with the key that makes no sense.
Status fill_relay_options(const bridge::EmbeddedRelaySettings& settings,
                          nostr::server::RelayServerOptions& options);

}  // namespace ipnscast::tools
