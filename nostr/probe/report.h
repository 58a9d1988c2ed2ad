#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ipnscast/nostr/event/relay_url.h"
#include "ipnscast/nostr/probe/wire.h"

// What a probe found out about a relay: facts only; verdict.h judges them. Nothing means that it
// was not found out.
namespace ipnscast::nostr::probe {

// Whether something is allowed, and to whom.
enum class Access {
  unknown,
  yes,
  with_auth,  // after NIP-42
  no,
};
std::string_view to_string(Access access);  // "unknown", "yes", "with-auth", "no"

struct KindAccess {
  int kind = 0;
  Access accepted = Access::unknown;
  Access to_author = Access::unknown;    // served to who wrote it
  Access to_stranger = Access::unknown;  // served to others; with_auth: authenticated as anybody
  std::string reason;                    // the relay's words for the first refusal
};

struct Latencies {
  std::vector<Took> samples;

  // The smallest sample that `percent` of them do not exceed; nothing without samples.
  std::optional<Took> percentile(unsigned percent) const;
};

// Which of several events with one created_at the relay kept. NIP-01: that with the lowest id.
enum class TieBreak { unknown, lowest, highest, first, last };
std::string_view to_string(TieBreak tie_break);

struct Replacement {
  std::optional<bool> newer_wins;        // the newest version is served
  std::optional<bool> older_stays_away;  // a version that comes late does not take its place
  std::optional<bool> keeps_one;         // and only one version is served
  TieBreak tie_break = TieBreak::unknown;
  std::string late_answer;  // the relay's words for the version that came late
};

struct LiveDelivery {
  size_t published = 0;
  size_t heard = 0;           // by the listener, before its patience ended
  Latencies echo;             // from sending the event to hearing it on another connection
  bool heard_others = false;  // events that its tag filter excludes
  std::string reason;         // why there was no listener
};

enum class Negentropy {
  unknown,
  works,    // the answer names the events that we lack
  wrong,    // NEG-MSG that does not
  refuses,  // NEG-ERR, CLOSED or NOTICE
  silent,
};
std::string_view to_string(Negentropy negentropy);

struct Limit {
  std::string name;                 // "hint of 16 KiB", ...
  std::optional<uint64_t> claimed;  // by NIP-11
  uint64_t needed = 0;              // what ipnscast may ask for
  uint64_t tried = 0;               // never more than claimed
  bool met = false;                 // the relay coped with what was tried
  std::string reason;               // its words when it did not
};

struct Deletion {
  std::optional<bool> honoured;    // NIP-09: gone after the request
  std::optional<bool> stays_gone;  // an older copy that comes again is not served
  size_t left_behind = 0;          // events of ours that are still served
  std::string reason;
};

struct Report {
  RelayUrl url;
  UnixMillis started{0};
  Took lasted{0};
  std::optional<Error> unreachable;  // then nothing else is known
  std::optional<Error>
      cut_short;  // the deadline came, or somebody cancelled: some facts are missing
  Handshake handshake;

  std::vector<KindAccess> kinds;
  std::optional<int> kind;  // the one that the rest was tried with
  bool asked_for_auth = false;
  Replacement replacement;
  std::optional<bool> filters_by_d;  // stored events, by #d
  LiveDelivery live;
  Negentropy negentropy = Negentropy::unknown;
  std::string negentropy_reason;
  std::vector<Limit> limits;
  std::optional<bool> kept;  // read back later, on a new connection, and unaltered
  Deletion deletion;

  Latencies ok;            // from sending an event to its OK
  Latencies eose;          // from a REQ to its EOSE
  size_t served_late = 0;  // events that came only a second after their OK
  size_t unanswered = 0;   // events without an OK in time
  size_t without_end = 0;  // REQs without EOSE or CLOSED in time
  size_t forged = 0;       // events whose id or signature does not hold
  size_t unsolicited = 0;  // events that no filter of ours matches
  size_t rate_limited = 0;
  std::vector<std::string> notices;  // the first few, cut
};

}  // namespace ipnscast::nostr::probe
