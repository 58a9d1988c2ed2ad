#pragma once

#include "ipnscast/nostr/event/event.h"

namespace ipnscast::nostr {

// What is wrong with an event from outside, in the words of `ipnscast event verify`.
enum class EventFault {
  json,    // not JSON, not UTF-8, or nested too deep
  shape,   // a member is missing, twice there, too large or of another type
  kind,    // a number, but no integer from 0 to 65535
  time,    // created_at is a number, but no integer from 0 to 2^63 - 1
  escape,  // \u escapes that name no character, or an id over a text that was escaped in another
           // way than NIP-01's
  id,      // the id is not the hash of the event
  sig,     // the signature does not hold
};

// "json", "shape", ...
std::string_view to_string(EventFault fault);

struct EventProblem {
  EventFault fault = EventFault::json;
  Error error;
  std::optional<EventId> claimed_id;  // what the event calls itself, where that much could be read
};

template <typename T>
using Checked = tl::expected<T, EventProblem>;

// Strict parse, id and signature of one event object, with the reason when one of them fails.
// Thread-safe.
Checked<Event> check_event(std::string_view json, const EventLimits& limits = {});

// Id and signature of an event that parsed. `escape` when the id is that of a text with raw control
// characters or with more escapes than NIP-01 has. Thread-safe.
Checked<void> check_signed(const Event& event);

}  // namespace ipnscast::nostr
