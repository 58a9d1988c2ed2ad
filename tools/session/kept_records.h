#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "ipnscast/tools/session/session.h"

namespace ipnscast::tools {

// With bridge.keep_alive: a client beside the bridge that renews the records of our keys (those
// that need no password) at `gateways` as long as it is open; null without. It announces nothing:
// the bridge finds the renewed records like any others. `directory` holds its state, so that
// publishing goes on beside it. Errors as sync::Client::open().
Result<std::unique_ptr<sync::Client>> keep_records(const Session& session,
                                                   const std::filesystem::path& directory,
                                                   std::vector<sync::Gateway> gateways);

}  // namespace ipnscast::tools
