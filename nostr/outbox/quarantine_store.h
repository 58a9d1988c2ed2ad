#pragma once

#include <map>

#include "ipnscast/nostr/base/store/database.h"
#include "ipnscast/nostr/pool/quarantine.h"

namespace ipnscast::nostr {

// Relays' standings, beside the outbox, so that a relay which loses what it acknowledges is found
// out by processes that run for seconds only. Each function runs inside a job of the store's
// Writer.

// A step of the "nostr" layer's schema.
extern const char* const kStandingsTable;

// `now` is the machine's clock; a quarantine lasts no longer than its own time, however that jumps.
Result<std::map<RelayUrl, RelayStanding>> load_standings(store::Database& db, UnixSeconds now);

// One that is as good as unknown is dropped, and the oldest beyond 1000.
Status save_standing(store::Database& db, const RelayUrl& relay, const RelayStanding& standing,
                     UnixSeconds now);

}  // namespace ipnscast::nostr
