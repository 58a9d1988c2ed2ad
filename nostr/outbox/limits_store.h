#pragma once

#include <map>

#include "ipnscast/nostr/base/store/database.h"
#include "ipnscast/nostr/event/relay_url.h"
#include "ipnscast/nostr/relay/limits.h"

namespace ipnscast::nostr {

// What relays' refusals taught, beside the outbox, so that a later process need not be refused
// again. Each function runs inside a job of the store's Writer.

// A step of the "nostr" layer's schema.
extern const char* const kLimitsTable;

// What was learned in the last 30 days; a relay may have changed its mind since. `now` is the
// machine's clock.
Result<std::map<RelayUrl, LearnedLimits>> load_limits(store::Database& db, UnixSeconds now);

// Limits that say nothing are dropped, and the oldest beyond 1000 relays.
Status save_limits(store::Database& db, const RelayUrl& relay, const LearnedLimits& limits,
                   UnixSeconds now);

}  // namespace ipnscast::nostr
