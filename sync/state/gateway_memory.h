#pragma once

#include "ipnscast/nostr/base/store/writer.h"
#include "ipnscast/sync/gateway/gateway_book.h"

namespace ipnscast::sync {

// Tells the book what the state file knows of its gateways, and from then on keeps the file up to
// date: once a minute while something happens, at once after a lie. To be called before the book is
// shared. `writer` outlives the book's use. Errc::io.
Status remember_gateways(gateway::GatewayBook& book, store::Writer& writer);

// Writes what was learned since, and waits for it: before the writer is closed.
void save_gateways_now(const gateway::GatewayBook& book, store::Writer& writer);

}  // namespace ipnscast::sync
