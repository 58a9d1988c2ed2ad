#pragma once

#include <string>

#include "ipnscast/nostr/server/relay_options.h"

namespace ipnscast::nostr::server {

// The NIP-11 document (application/nostr+json) of a relay with these options.
std::string relay_information(const RelayOptions& options);

}  // namespace ipnscast::nostr::server
