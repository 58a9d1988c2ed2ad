#pragma once

#include <vector>

#include "ipnscast/nostr/base/store/database.h"
#include "ipnscast/nostr/event/relay_url.h"
#include "ipnscast/nostr/nip/nip09.h"

namespace ipnscast::nostr {

// Events that relays acknowledged and that were not read back yet (R15), beside the outbox: a
// process that ends first leaves that to the next one. Each function runs inside a job of the
// store's Writer. At most 1000 stay, for a day by the outbox's clock.

// A step of the "nostr" layer's schema.
extern const char* const kReadBacksTable;

struct OwedReadBack {
  int64_t number = 0;
  Event event;
  UnixMillis due;  // by the machine's clock
};

// The relay is to be asked for the event from `due` on.
Status owe_read_back(store::Database& db, const Event& event, const RelayUrl& relay,
                     UnixMillis due);
// The relay has told. True when it was owed; false when the event was replaced or deleted
// meanwhile, or never acknowledged.
Result<bool> settle_read_back(store::Database& db, const EventId& id, const RelayUrl& relay);

// Relays of which something is owed.
Result<std::vector<RelayUrl>> load_read_back_relays(store::Database& db);
// What is owed of this one with a higher number, in its order, so many at most. Verified.
Result<std::vector<OwedReadBack>> load_read_backs(store::Database& db, const RelayUrl& relay,
                                                  int64_t after, int64_t most);

// Nobody needs these any more: what stands at the address, what the deletion covers, what is old.
Status drop_read_backs(store::Database& db, const Address& address);
Status drop_read_backs(store::Database& db, const Deletion& deletion);
Status expire_read_backs(store::Database& db);

}  // namespace ipnscast::nostr
