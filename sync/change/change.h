#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/nostr/event/keys.h"
#include "ipnscast/sync/change/version.h"
#include "ipnscast/sync/ipfs/ipld/cid.h"
#include "ipnscast/sync/ipfs/ipns/ipns_record.h"

namespace ipnscast::sync {

enum class ChangeKind {
  change,       // another value, confirmed by a record
  refresh,      // the same value again: later EOL or higher sequence
  conflict,     // same sequence, two values; this one won on every device
  stale,        // the last good record has expired
  provisional,  // confirm = trusted: announced by a trusted author, not yet proved by a record
  confirmed,    // the provisional one is proved
  withdrawn,    // the provisional one turned out wrong, or an expired one is rejected
  lost,         // what this device published was displaced by a version that does not contain it
};
std::string_view to_string(ChangeKind kind);

// Where the news came from first.
// The order is that of the state file.
enum class SourceKind { nostr, poll, websocket, sse, pubsub, local, w3name, app };
std::string_view to_string(SourceKind kind);

// A place that news comes from: a relay, a push server, a node.
struct SourceId {
  SourceKind kind = SourceKind::poll;
  std::string endpoint;  // its URL; empty for local
  auto operator<=>(const SourceId&) const = default;
};

// One change of one name, as handed to the application.
struct Change {
  ChangeKind kind = ChangeKind::change;
  IpnsName name;
  Sequence sequence;
  std::string value;  // "/ipfs/<cid>[/path]" of the record
  std::optional<Cid>
      cid;  // the value's root, or its last link when the value is a chain; fetched and verified;
            // none when the content of an older version is not to be had any more
  std::optional<Cid> previous;             // what was handed over before
  std::optional<std::string> other_value;  // of conflict and lost: the value that lost
  std::optional<Version> common{};         // of lost: what both were made of, where that is known
  bool certain = true;  // of lost; false: `value` does not say what it was made of (Kubo's records)
  SourceKind source = SourceKind::poll;
  std::optional<nostr::PublicKey> author;  // of the hint
  bool unconfirmed_freshness = false;      // first contact, and only one source answered
  // Milliseconds since the hint or answer was seen.
  struct Timing {
    std::chrono::microseconds confirmed{0};
    std::chrono::microseconds fetched{0};
  } timing;
  UnixMillis seen;
  // How often this was handed over in this run, with this time.
  int attempt = 1;
  // An older version, which Client::replay() was asked for. `previous` is of the replay, too.
  bool replay = false;
};

// Whether unconfirmed hints of trusted authors are handed over.
enum class Confirm { always, trusted };
enum class ExpiredPolicy { last_good, reject };

}  // namespace ipnscast::sync
