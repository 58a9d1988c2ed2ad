#pragma once

#include <string>
#include <vector>

#include "ipnscast/nostr/event/keys.h"
#include "ipnscast/tools/session/target.h"

namespace ipnscast::tools {

// What the command line says to `watch`.
struct WatchOptions {
  std::vector<std::string> targets;
  std::string mirror;
  std::string exec;
  std::vector<std::string> exec_variables;
  std::string webhook;
  std::string webhook_secret_file;
  bool webhook_http = false;
  std::vector<std::string> on_conflict;
  std::vector<std::string> trust;
  std::string as;  // label; empty: none
  bool pin = false;
  size_t versions = 5;
  bool keep_alive = false;
  bool once = false;
  bool every_version = false;
  bool records_only = false;
  bool derived = false;
};

// The keys of --trust. Errc::invalid.
Result<std::vector<nostr::PublicKey>> trusted_keys(const std::vector<std::string>& texts);

// What all targets together stand for, each name once, however long nobody answers: who follows
// names is to find them when the relays are back. With --once the first failure counts. The errors
// of resolve_target(); Errc::timeout at the limit.
Result<Target> wait_for_targets(const Session& session, const WatchOptions& options,
                                const TimeLimit& limit);

}  // namespace ipnscast::tools
