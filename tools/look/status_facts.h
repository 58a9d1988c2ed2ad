#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <vector>

#include "ipnscast/bridge/announce/announced.h"
#include "ipnscast/nostr/base/store/lock_holder.h"
#include "ipnscast/sync/state/state_view.h"
#include "ipnscast/tools/cli/screen.h"
#include "ipnscast/tools/session/session.h"

namespace ipnscast::tools {

// What a state directory says, as `status` tells it.
struct StatusFacts {
  std::filesystem::path state_dir;
  std::optional<store::LockHolder> owner;  // whoever works there now
  sync::StateView state;
  std::vector<bridge::AnnouncedName> bridged;
  std::map<sync::IpnsName, size_t> lost;  // displaced publishes, not acknowledged
  // Names that are in the configuration of the bridge, whether it has a record of them or not.
  std::vector<sync::IpnsName> to_bridge;
  // Relays and gateways of the configuration: kind and URL.
  std::vector<std::pair<std::string, std::string>> configured;
  std::chrono::nanoseconds lifetime{0};  // of our records
  UnixMillis now;
};

// Nothing is written, locked or asked. Errors of sync::read_state().
Result<StatusFacts> status_facts(const Session& session);

// When a process that keeps the name alive gives its record a later end; nothing for names that are
// not ours.
std::optional<UnixMillis> renewal_of(const StatusFacts& facts, const sync::NameStatus& name);

nlohmann::ordered_json status_json(const StatusFacts& facts);

// Rows for people. On a terminal names and values are short; in a pipe they are whole.
void print_status(const StatusFacts& facts, const Screen& screen);

}  // namespace ipnscast::tools
