#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nostr/base/store/database.h"
#include "nostr/publish_outcome.h"

namespace ipnscast::nostr {

// The tables of the "nostr" layer: events that were accepted for publishing and what each relay
// made of them. A row is written in the job that commits what the event announces; it stays until
// every relay has settled. Each function runs inside a job of the store's Writer.

// Give this to Database::open() together with the other layers'.
store::Schema outbox_schema();

// One event that some relays still lack.
struct OutboxEntry {
  Event event;
  std::vector<RelayUrl> relays;  // not settled yet
};

// Accepts the event for these relays. An older event at the same address is dropped, because relays
// keep the latest only. Errc::busy when 1,000 events wait already.
Status outbox_add(store::Database& db, const Event& event, const std::vector<RelayUrl>& relays);

// What waits, oldest first.
Result<std::vector<OutboxEntry>> outbox_pending(store::Database& db);

// Notes what became of an event at a relay. When all have settled the event leaves the outbox.
Status outbox_note(store::Database& db, const EventId& id, const RelayUrl& relay,
                   const RelayOutcome& outcome);

// A relay that stored it, has a newer one, or refused it for good needs no further try.
bool outbox_settles(const RelayOutcome& outcome);

}  // namespace ipnscast::nostr
