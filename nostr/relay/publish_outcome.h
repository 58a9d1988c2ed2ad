#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ipnscast/nostr/event/event.h"
#include "ipnscast/nostr/event/relay_url.h"

namespace ipnscast::nostr {

// What became of one event at one relay.
enum class PublishState {
  queued,        // not written yet: no connection, or waiting for a rate limit
  auth_pending,  // the relay wants us to authenticate first (NIP-42), which is under way
  written,       // on its way, no OK yet
  acknowledged,  // OK true
  duplicate,     // the relay had it already, or says so: see RelayOutcome::doubtful
  superseded,    // the relay has a newer event at this address
  refused,       // OK false
  no_answer,     // written, but no OK in time: unknown, not success (R17)
  unreachable,   // never written: no connection in time
};
std::string_view to_string(PublishState state);

// What the relay gave when it was asked for the event afterwards.
enum class ReadBack {
  not_asked,
  confirmed,  // the event
  missing,    // nothing, although it said that it had it (R15)
  newer,      // a newer event at the same address
  no_answer,
};
std::string_view to_string(ReadBack read_back);

struct RelayOutcome {
  PublishState state = PublishState::queued;
  std::string reason;      // the relay's words
  bool permanent = false;  // of a refusal: sending it again will not help
  Milliseconds took{0};
  ReadBack read_back = ReadBack::not_asked;
  std::shared_ptr<const Event> newer;  // of ReadBack::newer
  // The relay lost events that it had acknowledged: what it says does not count for a quorum.
  bool quarantined = false;
  // "duplicate" for an event whose address keeps one version only: some relays say so of a version
  // that lost to a newer one. Unknown until the pool, which asks at once, has read it back.
  bool doubtful = false;

  // The relay has the event, as far as we know.
  bool stored() const {
    return (state == PublishState::acknowledged || state == PublishState::duplicate) && !doubtful &&
           read_back != ReadBack::missing;
  }
  // Nothing further will happen.
  bool settled() const {
    return state != PublishState::queued && state != PublishState::written &&
           state != PublishState::auth_pending && !doubtful;
  }
};

// The outcome at every relay that was asked.
struct PublishReport {
  EventId id;
  std::map<RelayUrl, RelayOutcome> relays;

  size_t stored_count() const;  // relays in quarantine do not count
  bool settled() const;
};

// How many relays, or which, have to store an event before it counts as published. What a relay in
// quarantine says counts for none of it.
struct Quorum {
  size_t count = 1;
  bool all = false;             // all that were asked
  std::vector<RelayUrl> named;  // each of these, beside the count

  bool reached(const PublishReport& report) const;
  // Whether it can be reached when these relays are asked. Errc::invalid with what is missing.
  Status fits(const std::vector<RelayUrl>& relays) const;
};

// Reads an OK message's verdict on the event. NIP-01, NIP-42. A refusal is for good only by the
// prefixes that speak of the event or its author (invalid, blocked, restricted, pow, mute); one
// that blames a time in the future passes, as our clock may run ahead, and so does one without a
// prefix that we know ("database is locked").
RelayOutcome outcome_of_ok(const Event& event, bool accepted, std::string_view reason,
                           UnixSeconds now);

// What an outcome that is not settled when the time is up ends as: no answer when the event was
// written, else unreachable, with the reason.
RelayOutcome outcome_at_deadline(RelayOutcome open, bool written);

}  // namespace ipnscast::nostr
