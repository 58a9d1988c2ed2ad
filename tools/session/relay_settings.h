#pragma once

#include "ipnscast/bridge/config/settings.h"
#include "ipnscast/nostr/server/relay_server.h"

namespace ipnscast::tools {

// Puts the section [relay] of the configuration into the options of the embedded relay.
// Errc::invalid with the key that makes no sense.
Status fill_relay_options(const bridge::EmbeddedRelaySettings& settings,
                          nostr::server::RelayServerOptions& options);

// So many events and requests a second of one connection, five seconds' worth of them at once; 0:
// no limit.
void limit_rates(nostr::server::RelayOptions& options, double events, double requests);

}  // namespace ipnscast::tools
