#pragma once

#include "ipnscast/nostr/base/store/database.h"
#include "ipnscast/sync/ipfs/ipns/ipns_name.h"

namespace ipnscast::sync {

// Names whose hints the user has retracted here and that were not published or announced since: a
// table of the "sync" layer beside those of state_store.h. Nothing but that announces them again.
// Each function runs inside a job of the store's Writer.

// A step of the "sync" layer's schema.
extern const char* const kRetractedTable;

Status note_retracted(store::Database& db, const IpnsName& name);
Status forget_retracted(store::Database& db, const IpnsName& name);
Result<bool> is_retracted(store::Database& db, const IpnsName& name);

}  // namespace ipnscast::sync
