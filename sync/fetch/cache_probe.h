#pragma once

#include <set>

#include "ipnscast/sync/gateway/gateway_book.h"
#include "ipnscast/sync/ipfs/ipld/cid.h"

namespace ipnscast::sync {

// Before a large race between gateways that are not ours: asks them side by side who has a block
// already (HEAD with Cache-Control: only-if-cached), so that none of them is sent to search for
// what another has at hand. Nothing is asked when there are fewer than kLargeRace of them, or a
// node of our own can be asked, which is quicker.
inline constexpr size_t kLargeRace = 4;

// Those that say they have it, by the time that the first says so, that all answered, or that
// `patience` is over. Waits; not from the http thread.
std::set<size_t> who_has_cached(gateway::Http& http, gateway::GatewayBook& book, const Cid& cid,
                                Milliseconds patience);

}  // namespace ipnscast::sync
