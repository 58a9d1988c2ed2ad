#pragma once

#include "ipnscast/sync/gateway/gateway_book.h"
#include "ipnscast/sync/gateway/providers.h"

namespace ipnscast::sync {

// Asks the routers among the gateways who else has a CID: those that are known to be routers, or of
// which nothing is known, five at most, side by side. The URLs of trustless gateways that none of
// them is already, kMaxProviders at most. Waits for `deadline` at most; not from the http thread.
std::vector<std::string> find_providers(gateway::Http& http, gateway::GatewayBook& book,
                                        const Cid& cid, gateway::ProviderHosts hosts,
                                        Milliseconds deadline);

}  // namespace ipnscast::sync
