#pragma once

#include <map>
#include <optional>

#include "ipnscast/nostr/base/store/database.h"
#include "ipnscast/sync/writer/own_publish.h"

namespace ipnscast::sync {

// What the state file keeps for the writer: tables of the "sync" layer beside those of
// state_store.h. Each function runs inside a job of the store's Writer.

// A step of the "sync" layer's schema, number 5. What earlier versions knew of a name becomes its
// base, so that the first publish after the upgrade asks nothing; publishes that they made are not
// among the own publishes.
extern const char* const kWriterTables;

// Everything of one name, as NameWriter commits it. A name that was never written here has the tag
// of this device and nothing else.
Status save_writer(store::Database& db, const IpnsName& name, const WriterState& state);
// Nothing: this device has never written the name. Records are verified again, whatever their time:
// one that does not hold is an error.
Result<std::optional<WriterState>> load_writer(store::Database& db, const IpnsName& name);
// Names with own publishes that are not settled: they are followed while a client is open.
Result<std::vector<IpnsName>> load_unsettled_names(store::Database& db);

// What each consumer of this state was handed last ("app", or the label of an attached watch).
struct Consumed {
  Sequence sequence;
  std::string value;
  bool operator==(const Consumed&) const = default;
};
Status save_consumed(store::Database& db, const IpnsName& name, std::string_view consumer,
                     const Consumed& what);
Result<std::map<std::string, Consumed>> load_consumers(store::Database& db, const IpnsName& name);

}  // namespace ipnscast::sync
