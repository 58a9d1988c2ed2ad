#pragma once

#include <optional>
#include <string>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/sync/change/change.h"
#include "ipnscast/sync/state/known_record.h"

namespace ipnscast::sync {

// DESIGN's table "A hint is a claim" as pure functions: (what is known of the name, what arrived,
// policy) -> what to do. Nothing here has state; the engine carries the decision out.

// The row of the table that decided.
enum class Row {
  confirmed,       // a verified record, newer, another value
  same_value,      // a verified record, newer, the same value: state moves, nobody is notified
  first_contact,   // nothing is known of the name yet
  refresh,         // the known (sequence, value) with a later EOL
  duplicate,       // nothing new
  rollback,        // a lower sequence than known, however new its event (R11)
  conflict_won,    // same sequence, other value: what arrived wins on every device (S0-25, R10)
  conflict_lost,   // same sequence, other value: what is known wins
  conflict_alarm,  // either, for the fourth time in an hour
  stale,           // an expired record (R22)
  trusted_claim,   // a trusted author's word: resolve and fetch side by side
  stranger_claim,  // anyone else's word: a reason to resolve
  over_budget,     // anyone else's word, too many of them
  own_echo,        // our own event came back (S0-35)
  too_high,        // 2^63 or more
};
std::string_view to_string(Row row);

inline constexpr int kConflictFlipsPerHour = 3;

// How much an author's word weighs.
enum class Trust { trusted, stranger, stranger_over_budget };

// What is known of a name when something arrives.
struct Known {
  std::optional<KnownRecord> record;
  std::optional<std::string> loser;  // the value that lost against `record` last and was reported
  int flips_last_hour = 0;           // conflicts reported within the hour
  bool stale = false;                // the expiry of `record`, or of `ahead`, has been reported
  std::optional<KnownRecord> ahead;  // better than `record`, but expired
};

// A hint without a record that holds.
struct Claim {
  Cid cid;
  std::optional<Sequence> sequence;  // nothing: unknown
  Trust trust = Trust::stranger;
  bool own_event = false;   // its id is in our table of sent events
  bool own_device = false;  // our key and our device id
};

struct ClaimDecision {
  Row row = Row::duplicate;
  bool resolve = false;
  // The sequence that the resolution waits for; this resolution only, never persisted.
  std::optional<Sequence> floor;
  bool fetch = false;          // the content, before the record confirms it
  bool provisional = false;    // hand the content over before the record confirms it
  bool new_device_id = false;  // somebody runs on a copy of our state directory
};
ClaimDecision decide(const Known& known, const Claim& claim, Confirm confirm);

struct RecordDecision {
  Row row = Row::duplicate;
  bool adopt = false;                      // the record becomes what is known
  std::optional<ChangeKind> notify;        // the handler is owed this
  std::optional<std::string> other_value;  // of a conflict: the value that lost
  bool flip = false;                       // counts as a conflict of this hour
  bool ahead = false;                      // it has expired, but is better than what is known
};
// `record` has been verified for the name, except that it may have expired.
RecordDecision decide(const Known& known, const KnownRecord& record, ExpiredPolicy policy,
                      UnixMillis now);

// The known record's time is up. notify: stale or withdrawn, once.
RecordDecision decide_expiry(const Known& known, ExpiredPolicy policy, UnixMillis now);

// True when the record proves its hint wrong: the author is marked down. `embedded`: the record
// came inside of the hint.
bool disagrees(const Claim& claim, const KnownRecord& record, bool embedded);

// What a confirmed record means for a value that was handed over as provisional.
enum class ProvisionalOutcome { open, confirmed, withdrawn };
ProvisionalOutcome settle(const Cid& provisional, std::optional<Sequence> claimed,
                          const KnownRecord& record);

}  // namespace ipnscast::sync
