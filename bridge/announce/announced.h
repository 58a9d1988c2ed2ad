#pragma once

#include <optional>
#include <vector>

#include "ipnscast/bridge/announce/announcement.h"
#include "ipnscast/nostr/base/store/database.h"

namespace ipnscast::bridge {

// What the bridge keeps of one name: the best record that it verified itself, and what it
// announced. The difference of the two is what it owes.
struct AnnouncedName {
  sync::IpnsName name;
  sync::KnownRecord record;
  std::optional<LastHint> hint;
};

enum class Owed {
  nothing,  // the same value again is a refresh, which nobody needs to hear of
  renewal,  // the announced record has used up half of its life and a later one is known
  change,   // another value than the announced one, or none was announced
};

// What has to be announced of the name now. Nothing for a value without a CID ("/ipns/...") and for
// a record that has expired.
Owed owed(const AnnouncedName& name, UnixMillis now);

// The tables of the "bridge" layer. Each function runs inside a job of the store's Writer.
store::Schema bridge_schema();
// Notes a record that was verified for the name.
Status save_record(store::Database& db, const sync::IpnsName& name,
                   const sync::KnownRecord& record);
// Notes the hint; the job that does so also puts its events into the outbox. The name has a record.
Status save_hint(store::Database& db, const sync::IpnsName& name, const LastHint& hint);
// The name counts as not announced from here on.
Status forget_hint(store::Database& db, const sync::IpnsName& name);
Result<std::vector<AnnouncedName>> load_announced(store::Database& db);

}  // namespace ipnscast::bridge
