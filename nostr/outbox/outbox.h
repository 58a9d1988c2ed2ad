#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ipnscast/nostr/base/store/database.h"
#include "ipnscast/nostr/relay/publish_outcome.h"

namespace ipnscast::nostr {

// The tables of the "nostr" layer: events that were accepted for publishing and what each relay
// made of them. A row is written in the job that commits what the event announces; it stays until
// every relay has settled. Each function runs inside a job of the store's Writer.
//
// The outbox has a clock of its own, in seconds that were counted while a process ran and, in
// plausible steps, between processes. It alone says how long an event has waited: the machine's
// clock may be wrong by months (no battery, a false NTP answer), and nothing is lost by that.

// Give this to Database::open() together with the other layers'.
store::Schema outbox_schema();

// One event that some relays still lack.
struct OutboxEntry {
  Event event;
  std::vector<RelayUrl> relays;  // not settled yet
};

struct OutboxLimits {
  size_t max_events = 1000;      // that wait at a time
  Seconds max_age{30 * 86'400};  // that an event waits for some relay, by the outbox's clock
};

// Accepts the event for these relays. An older event at the same address is dropped, because relays
// keep the latest only; so is what it deletes, if it is a deletion (NIP-09). When the outbox is
// full, the oldest event that some relay has stored makes room, with a warning that names the
// relays which lack it; when none has been stored anywhere, Errc::busy.
Status outbox_add(store::Database& db, const Event& event, const std::vector<RelayUrl>& relays,
                  const OutboxLimits& limits = {});

// Takes what waits at this address back: no relay gets it any more.
Status outbox_withdraw(store::Database& db, const Address& address);

// Counts the time since the last process that used this outbox; `now` is the machine's clock. A day
// is believed; a longer time, which may be a clock that was set, counts as an hour, and one that
// runs backwards not at all.
Status outbox_resume_clock(store::Database& db, UnixSeconds now);

// Counts time that passed in this process, by the steady clock; an hour at most, as that is how
// often it is called while something waits.
Status outbox_advance_clock(store::Database& db, Seconds passed, UnixSeconds now);

// Gives up events that have waited longer than `limits.max_age`. What was given up, with the relays
// that lack it.
Result<std::vector<OutboxEntry>> outbox_expire(store::Database& db, const OutboxLimits& limits);

// Some relay has not settled; false also when the event was replaced or deleted meanwhile.
Result<bool> outbox_holds(store::Database& db, const EventId& id);

// A relay that had settled lost the event after all: it is sent there again, unless a newer event
// at its address waits.
Status outbox_again(store::Database& db, const Event& event, const RelayUrl& relay);

// An event that some relays still lack, for people to look at.
struct WaitingEvent {
  struct At {
    RelayUrl relay;
    std::string state;   // a word of PublishState, of the last try
    std::string reason;  // the relay's words, cut off
    int64_t tries = 0;
  };
  EventId id;
  int kind = 0;
  std::optional<std::string> d;
  UnixSeconds accepted_at;  // by the machine's clock then
  std::vector<At> relays;   // that lack it
};
struct OutboxView {
  size_t events = 0;                     // that wait
  std::map<std::string, size_t> lacked;  // how many of them each relay lacks, by its URL
  std::vector<WaitingEvent> first;       // oldest first
};
// At most `most` of them. Reads only.
Result<OutboxView> outbox_view(store::Database& db, size_t most);

// What waits, oldest first.
Result<std::vector<OutboxEntry>> outbox_pending(store::Database& db);

// Notes what became of an event at a relay. When all have settled the event leaves the outbox.
Status outbox_note(store::Database& db, const EventId& id, const RelayUrl& relay,
                   const RelayOutcome& outcome);

// A relay that stored it, has a newer one, or refused it for good needs no further try; nor does
// one in quarantine that acknowledged it.
bool outbox_settles(const RelayOutcome& outcome);

}  // namespace ipnscast::nostr
