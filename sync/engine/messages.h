#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ipnscast/nostr/base/strong_id.h"
#include "ipnscast/sync/change/handled.h"
#include "ipnscast/sync/source/news.h"
#include "ipnscast/sync/state/history.h"
#include "ipnscast/sync/state/name_row.h"

namespace ipnscast::sync {

// Names one piece of work that the engine asked for. Answers carry it back; answers to forgotten
// work are ignored, except that a record in them still counts.
using JobId = StrongId<struct EngineJobTag>;

// What the engine is told.
namespace input {

// Follow the name. `stored`: what load_name() found. Without a handler changes wait, committed, for
// one.
struct Watch {
  IpnsName name;
  bool fetch_content = true;
  bool has_handler = true;
  std::optional<NameRow> stored;
  bool takes_in = true;  // what the handler takes is what the application publishes on
  bool pulls = false;    // has_handler, and it comes with input::Take for what action::Offer says
  bool every_version = false;  // the handler gets those too that a newer one has replaced
};
// Follow the name without a handler, because something that this device published is not settled.
struct Follow {
  IpnsName name;
  std::optional<NameRow> stored;
};
// What this device writes under the name, or owes it, is not what it was (WriterView).
struct Written {
  IpnsName name;
};
struct Unwatch {
  IpnsName name;
};
// Somebody is there to take the change that waits. It is answered by action::Deliver, or by
// action::Offer that says that there is none.
struct Take {
  IpnsName name;
};
// Hand the versions from this number on over again, as far as the handler is past them.
struct Replay {
  IpnsName name;
  uint64_t from = 0;
};
// What action::ReadVersion found.
struct VersionRead {
  IpnsName name;
  JobId job;
  std::optional<HeardVersion> version;  // nothing: there is none
  bool failed = false;
};
// Drop what is known of the name (`ipnscast forget`).
struct Forget {
  IpnsName name;
};

// From a resolution, as often as there is something to say.
struct ResolveUpdate {
  IpnsName name;
  JobId job;
  std::optional<KnownRecord> record;  // verified, but it may have expired
  SourceId source;                    // of the record
  size_t sources_answered = 0;        // with a record, so far
  bool settled = false;               // the floor or the foreground deadline was reached
  bool finished = false;              // nothing more will come
  bool nobody = false;                // finished, and nobody told anything
};
struct PollDone {
  IpnsName name;
  JobId job;
  std::optional<KnownRecord> record;  // nothing: unchanged, or none there
  SourceId source;
  bool failed = false;  // the source did not answer
};
struct Fetched {
  IpnsName name;
  JobId job;
  std::optional<Cid> cid;  // where a chain of names ends; nothing: the value's own root
};
struct FetchFailed {
  IpnsName name;
  JobId job;
  Error error;
};
struct Committed {
  JobId job;
  Status status;
};
// The handler returned.
struct Handled {
  IpnsName name;
  JobId job;
  sync::Handled what;
};
// This device signed an event (committed to the table of sent ones), or loaded it at start.
struct Sent {
  nostr::EventId event_id;
  nostr::Address address;
  UnixSeconds created_at;
};
struct DeviceId {
  std::string id;
};
struct Tick {};

}  // namespace input

using Input = std::variant<input::Watch, input::Follow, input::Written, input::Unwatch, input::Take,
                           input::Replay, input::VersionRead, input::Forget, News, RecordArrived,
                           input::ResolveUpdate, input::PollDone, input::Fetched,
                           input::FetchFailed, input::Committed, input::Handled, SourceHealth,
                           input::Sent, input::DeviceId, input::Tick>;

// What the engine wants done. Every one that carries a deadline is answered by then; the engine
// gives up on it soon after.
namespace action {

// Ask every source at once. At `settle_by` say what there is, listen on until `deadline`.
struct Resolve {
  IpnsName name;
  JobId job;
  std::optional<Sequence> floor;
  bool first_contact = false;  // nothing is known of the name yet: ask two sources at least
  Instant settle_by;
  Instant deadline;
};
// Ask one source, in rotation.
struct Poll {
  IpnsName name;
  JobId job;
  Instant deadline;
};
// Bring and verify everything under the value; follow it when it is a chain.
struct Fetch {
  IpnsName name;
  JobId job;
  std::string value;
  Instant deadline;
  bool current = true;  // false: of an older version, whose content is kept until it is handed over
};
struct Cancel {
  JobId job;
};
// Write these rows in one transaction, with what is noted in the history of the first one's name.
struct Commit {
  JobId job;
  std::vector<NameRow> rows;
  std::vector<HistoryNote> notes{};
};
// Look for a version in the history of the name: behind all commits that were asked for before.
struct ReadVersion {
  IpnsName name;
  JobId job;
  HistorySearch search;
};
struct Deliver {
  IpnsName name;
  JobId job;
  Change change;
  bool pulled = false;  // it was taken
};
// Of a name whose changes are pulled: something waits, or no longer.
struct Offer {
  IpnsName name;
  bool there = true;
};
// Whoever took this change has had his time. When he has not answered until now he is not heard any
// more, and input::Handled says so.
struct Revoke {
  IpnsName name;
  JobId job;
};
// The name has to be followed: load what is known of it, and say so with input::Follow.
struct Load {
  IpnsName name;
};
// Our state directory was copied: take another device id and say so with input::DeviceId.
struct NewDeviceId {};
// For the log and for people. Without a name it is about all that are followed.
struct Alarm {
  std::optional<IpnsName> name;
  std::string text;
};

}  // namespace action

using Action = std::variant<action::Resolve, action::Poll, action::Fetch, action::Cancel,
                            action::Commit, action::ReadVersion, action::Deliver, action::Offer,
                            action::Revoke, action::Load, action::NewDeviceId, action::Alarm>;

}  // namespace ipnscast::sync
