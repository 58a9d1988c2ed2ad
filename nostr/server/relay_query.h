#pragma once

#include "nostr/base/store/database.h"
#include "nostr/filter.h"

namespace ipnscast::nostr::server {

// The statement that gives (id, created_at, json) of the events that satisfy the filter, with
// everything bound: newest first, ties lowest id first, `limit` rows at most, without those that
// expired by `now`. The filter is within its FilterLimits.
store::Statement select_events(store::Database& db, const Filter& filter, uint32_t limit,
                               UnixSeconds now);

}  // namespace ipnscast::nostr::server
