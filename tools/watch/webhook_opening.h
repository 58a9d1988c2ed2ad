#pragma once

#include "ipnscast/tools/watch/watch_targets.h"
#include "ipnscast/tools/watch/webhook.h"

namespace ipnscast::tools {

// The webhook of the command line; null without one. Its secret comes from a file or from
// IPNSCAST_WEBHOOK_SECRET. Errc::invalid, else as read_secret_file().
Result<std::unique_ptr<Webhook>> open_webhook(const WatchOptions& options,
                                              const std::string& ca_file);

}  // namespace ipnscast::tools
