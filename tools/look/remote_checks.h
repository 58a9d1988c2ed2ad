#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>

#include "ipnscast/nostr/base/clock_witness.h"
#include "ipnscast/sync/state/state_view.h"
#include "ipnscast/tools/cli/time_limit.h"
#include "ipnscast/tools/look/finding.h"
#include "ipnscast/tools/session/session.h"

// What `doctor` finds out by asking others: each place by a thread of its own, some at a time. Of
// what is stopped or comes too late, the row says so.
namespace ipnscast::tools {

// What all of these checks share.
struct Asking {
  const Session& session;
  const TimeLimit& limit;
  std::stop_token stop;
  std::shared_ptr<ClockWitness> witness = std::make_shared<ClockWitness>();  // hears every answer
  std::atomic<size_t> asked = 0;
  std::atomic<size_t> unreachable = 0;
};

// As "relay probe": a few events with keys of its own, deleted again.
Findings check_relays(Asking& asking);

// As "gateway probe --read-only", with content and a name that they should have; where nothing is
// known that they should have, a gateway that gives nothing is not judged.
Findings check_gateways(Asking& asking, const std::vector<sync::NameStatus>& names);

// Followed and own names of which every source has an older record than is known here, or none that
// is valid. Runs a client of its own, with a state that goes away with it: nobody gets anything.
Findings check_names(Asking& asking, const std::vector<sync::NameStatus>& names);

// Once the others are done: whether our clock is that of the servers.
Finding check_clock(const Asking& asking);

// Calls `work` for 0 to count - 1, up to sixteen at a time, and waits for all.
void side_by_side(size_t count, const std::function<void(size_t)>& work);

}  // namespace ipnscast::tools
