#pragma once

#include "ipnscast/bridge/config/settings.h"
#include "ipnscast/nostr/base/result.h"
#include "ipnscast/sync/gateway/gateway.h"

namespace ipnscast::bridge {

// The gateway that a setting means. Errc::invalid for a URL that is none, and for uses that we do
// not know.
Result<sync::Gateway> to_gateway(const GatewaySetting& setting, int tier);

}  // namespace ipnscast::bridge
