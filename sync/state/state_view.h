#pragma once

#include "ipnscast/nostr/outbox/outbox.h"
#include "ipnscast/sync/gateway/score.h"
#include "ipnscast/sync/metrics/metrics.h"
#include "ipnscast/sync/state/publish_state.h"
#include "ipnscast/sync/state/status.h"

namespace ipnscast::sync {

// Nothing as long as no record is known.
std::optional<NameStatus> name_status(const struct NameRow& row);

GatewayStatus gateway_status(const gateway::GatewayMemory& memory);

constexpr size_t kShownWaiting = 20;

// What publishing still owes to nodes and routers.
struct OwedWork {
  std::vector<Pin> missing;         // current versions that a node is to get
  std::vector<Cid> unplaced;        // and those that no node has yet
  std::vector<Pin> unwanted;        // older versions that a node is to drop
  std::vector<OwedRecord> records;  // places that lack the latest record
};

// What a state directory says.
struct StateView {
  std::vector<NameStatus> names;  // that are followed, or that this device publishes
  std::vector<GatewayStatus> gateways;
  nostr::OutboxView outbox;  // the first kShownWaiting
  OwedWork owed;
  std::optional<Metrics> metrics;  // of whoever works in it now, or did last
};

// Nothing is locked or written: whoever works in the directory goes on. Nothing at all where nobody
// ever did. Errc::io, Errc::parse, Errc::unsupported when an older version of us wrote it.
Result<StateView> read_state(const std::filesystem::path& state_dir);

}  // namespace ipnscast::sync
