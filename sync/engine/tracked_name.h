#pragma once

#include <deque>
#include <optional>
#include <string>

#include "ipnscast/sync/engine/messages.h"
#include "ipnscast/sync/writer/own_publish.h"

namespace ipnscast::sync {

// Work on one name that is under way.
namespace work {

struct Resolving {
  JobId job;
  Instant deadline;
  bool settled = false;
  // First contact: the best answer is adopted when the resolution settles.
  std::optional<KnownRecord> best;
  SourceId best_source;
  std::optional<nostr::PublicKey> best_author;
  bool hinted = false;  // a hint brought a record, which counts as one more source
  size_t answered = 0;
};
struct Polling {
  JobId job;
  Instant deadline;
};
struct Fetching {
  JobId job;
  std::string value;
  Instant deadline;
};
struct Content {
  std::string value;
  std::optional<Cid> cid;
};
struct Waiting {
  News news;
  Now arrived;
};
// The claim that is being followed up.
struct Following {
  News news;
  Now arrived;
  bool trusted = false;
  bool provisional = false;
  bool marked = false;  // its author was marked down for it
};
struct Delivering {
  enum class What { record, older, replay, expiry, provisional, withdrawal, report };
  JobId job;
  What what = What::record;
  uint64_t generation = 0;
  uint64_t number = 0;  // of the version
  Change change;
  std::optional<OwnPublish> displaced{};  // what the application learns by it
  std::optional<Instant> until{};         // of who took it himself, until he is told so
};
struct Committing {
  JobId job;
  uint64_t revision = 0;
  std::vector<HistoryNote> notes{};
};
// A version before the newest one, on its way to the handler.
struct Older {
  JobId reading;
  bool replay = false;
  std::optional<HeardVersion> version{};  // nothing: it is being read
  std::optional<Fetching> fetch{};
  std::optional<Content> content{};
  int failures = 0;  // of fetching it
  Instant retry{};
  Instant give_up{};
  bool gone = false;  // nobody had its content until then: it is handed over without
};

}  // namespace work

// What the engine holds in memory of one name beside its row: work under way and times. Private to
// the engine. Nothing in it grows with the number of hints.
struct TrackedName {
  using Resolving = work::Resolving;
  using Polling = work::Polling;
  using Fetching = work::Fetching;
  using Content = work::Content;
  using Waiting = work::Waiting;
  using Following = work::Following;
  using Delivering = work::Delivering;
  using Committing = work::Committing;
  using Older = work::Older;

  explicit TrackedName(NameRow stored) : row(std::move(stored)) {}

  NameRow row;
  bool has_handler = false;
  bool takes_in = true;
  bool pulls = false;
  bool offered = false;   // of who pulls: it was said that something waits
  bool followed = false;  // whoever watches or not
  bool every_version = false;

  // Every change of the row is a revision; a hand-over waits until the latest one that it rests on
  // is committed.
  uint64_t revision = 0;
  uint64_t committed = 0;
  uint64_t substance = 0;   // revision of the latest change that a hand-over rests on
  uint64_t generation = 0;  // grows with each thing owed to the handler
  std::optional<Committing> commit;
  int commit_failures = 0;
  Instant commit_retry;
  std::vector<HistoryNote> notes;  // to be committed with the row

  std::optional<Resolving> resolve;    // the latest one
  std::optional<Resolving> lingering;  // the one before, still listening
  std::optional<Polling> poll;
  std::optional<Fetching> fetch;     // of the confirmed value
  std::optional<Fetching> prefetch;  // of a trusted claim
  std::optional<Content> content;    // the confirmed value's, here and verified
  std::optional<Content> prefetched;
  std::optional<Delivering> delivery;
  std::optional<Older> older;
  Instant older_at;                      // not read before that
  std::string replayed_value;            // what was handed over again last
  std::optional<Cid> replayed_cid;       // its content
  std::optional<Version> refused_claim;  // a provisional value that was refused, in this run
  bool provisional_due =
      false;  // row.provisional is committed or being so, and not yet handed over

  std::optional<Following> following;
  std::optional<Waiting> pending;  // arrived during a sync: runs right after it (S0-23)
  Instant next_claim;
  int chases = 0;  // resolutions since `following` that did not reach it
  std::optional<Instant> chase_at;

  Instant next_poll;
  Instant retry;     // of the fetch: row.retry_at on the steady clock
  int attempts = 0;  // to hand over what is due, which failed
  Instant next_attempt;
  std::string told_failure;              // why the handler failed, when that is our user's fault
  std::string told_why;                  // the value and the reason why its content is not here
  std::optional<Instant> missing_since;  // nobody has a record
  bool told_missing = false;
  std::deque<Instant> flips;

  Instant seen_at;  // of the news behind row.record
  std::chrono::microseconds confirmed_after{0};
  std::chrono::microseconds fetched_after{0};

  std::optional<Instant> due;  // its place in the engine's timers

  bool active() const { return row.watched || followed; }
  bool resolving_in_foreground() const { return resolve && !resolve->settled; }
  bool dirty() const { return committed < revision && !(commit && commit->revision == revision); }
};

}  // namespace ipnscast::sync
