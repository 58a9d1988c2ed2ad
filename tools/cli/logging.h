#pragma once

#include "ipnscast/bridge/config/settings.h"
#include "ipnscast/nostr/base/log.h"
#include "ipnscast/tools/cli/command.h"

namespace ipnscast::tools {

// Makes standard error the sink of nostr/base/log.h, from this level on: lines of text, or of JSON
// {"time","level","area","text"}. Again: the new level and form hold.
void start_logging(LogLevel least, bool json);

// What the command line asks for: warnings and errors; with -v, and of daemons, also what happens;
// with -vv everything.
LogLevel asked_level(const Context& context);
// The same, where a configuration says more: its level "info" is what the command line asks for.
void start_logging(const Context& context, const bridge::LogSettings& settings);

}  // namespace ipnscast::tools
