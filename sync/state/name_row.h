#pragma once

#include <optional>
#include <string>

#include "ipnscast/sync/change/change.h"
#include "ipnscast/sync/state/known_record.h"

namespace ipnscast::sync {

// What the state file keeps of one name. The engine changes it, asks for it to be committed, and
// starts from it again after a restart; a hint's claimed sequence is never in it.
struct NameRow {
  // What the handler was given last and acknowledged.
  struct Handed {
    Sequence sequence;
    std::string value;
    std::optional<Cid> cid;
  };
  // A value that may have been handed over before a record proved it. It is here from before the
  // hand-over until it was confirmed or withdrawn.
  struct Provisional {
    Cid cid;
    nostr::PublicKey author;
    UnixMillis since;
  };
  // Versions that are handed over once more, by their numbers in the history.
  struct Replay {
    uint64_t next = 0;
    uint64_t last = 0;
    bool operator==(const Replay&) const = default;
  };

  IpnsName name;
  bool watched = false;
  bool fetch_content = true;

  std::optional<KnownRecord> record;  // verified; the floor against rollbacks
  bool stale = false;                 // its expiry, or that of `ahead`, has been noticed
  std::optional<KnownRecord> ahead;   // better than `record`, but its time is over
  std::optional<std::string> loser;   // of the last conflict at its sequence
  SourceId source;                    // over which the latest change came
  std::optional<nostr::PublicKey> author;
  bool unconfirmed_freshness = false;
  UnixMillis seen;

  std::optional<Handed> handed;
  // What the application has taken in last: the base of what it publishes next.
  std::optional<Version> taken;
  // Refused by the handler or its validator last: not handed over again. `handed` is what was there
  // before.
  std::optional<Version> rejected;
  std::optional<ChangeKind> owed;         // the handler must still be told this about `record`
  std::optional<ChangeKind> expiry_owed;  // after that: stale or withdrawn
  std::optional<Provisional> provisional;
  std::optional<Cid> withdraw_owed;  // before all that: a provisional value that turned out wrong

  uint64_t heard = 0;   // the number of `record` in the history: so many versions were heard
  uint64_t passed = 0;  // the application is past the versions up to this one
  std::optional<Replay> replay;  // before what is owed

  int failures = 0;  // of fetching, one after the other
  UnixMillis retry_at;
};

}  // namespace ipnscast::sync
