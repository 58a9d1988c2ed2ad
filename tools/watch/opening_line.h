#pragma once

#include <string>
#include <vector>

#include "ipnscast/sync/config.h"
#include "ipnscast/sync/ipfs/ipns/ipns_name.h"

namespace ipnscast::tools {

// What `watch` follows over what: "following k51... over 1 relay (ws://...) and 2 gateways (...)".
std::string opening_line(const std::vector<sync::IpnsName>& names, const sync::Config& config);

}  // namespace ipnscast::tools
