#pragma once

#include <map>
#include <optional>

#include "ipnscast/nostr/base/store/database.h"
#include "ipnscast/sync/writer/own_publish.h"

namespace ipnscast::sync {

// What the state file keeps for the writer: tables of the "sync" layer beside those of
// state_store.h. Each function runs inside a job of the store's Writer.

// Everything of one name, as NameWriter commits it. A name that was never written here has the tag
// of this device and nothing else.
Status save_writer(store::Database& db, const IpnsName& name, const WriterState& state);
// Nothing: this device has never written the name. Records are verified again, whatever their time:
// one that does not hold is an error.
Result<std::optional<WriterState>> load_writer(store::Database& db, const IpnsName& name);
// The same of a name that may never have been written here: then it begins with what this device
// knows from following it, and with the tag zero.
Result<WriterState> load_or_begin_writer(store::Database& db, const IpnsName& name);
// All names that were written here.
Result<std::vector<IpnsName>> load_written_names(store::Database& db);

// How many publishes are lost and not acknowledged, of each name that has any.
Result<std::map<IpnsName, size_t>> count_lost(store::Database& db);

}  // namespace ipnscast::sync
