#pragma once

#include <map>
#include <string>
#include <string_view>

#include "nostr/event.h"
#include "nostr/relay_url.h"

namespace ipnscast::nostr {

// What became of one event at one relay.
enum class PublishState {
  queued,        // not written yet: no connection, or waiting for AUTH or for a rate limit
  written,       // on its way, no OK yet
  acknowledged,  // OK true
  duplicate,     // the relay had it already
  superseded,    // the relay has a newer event at this address
  refused,       // OK false
  no_answer,     // written, but no OK in time: unknown, not success (R17)
  unreachable,   // never written: no connection in time
};
std::string_view to_string(PublishState state);

struct RelayOutcome {
  PublishState state = PublishState::queued;
  std::string reason;      // the relay's words
  bool permanent = false;  // of a refusal: sending it again will not help
  Milliseconds took{0};

  // The relay has the event.
  bool stored() const {
    return state == PublishState::acknowledged || state == PublishState::duplicate;
  }
  // Nothing further will happen.
  bool settled() const { return state != PublishState::queued && state != PublishState::written; }
};

// The outcome at every relay that was asked.
struct PublishReport {
  EventId id;
  std::map<RelayUrl, RelayOutcome> relays;

  size_t stored_count() const;
  bool settled() const;
};

// Reads an OK message's verdict. NIP-01, NIP-42; refusals by rate-limited, auth-required and error
// may pass.
RelayOutcome outcome_of_ok(bool accepted, std::string_view reason);

}  // namespace ipnscast::nostr
