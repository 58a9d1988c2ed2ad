#pragma once

#include <optional>
#include <string_view>

#include "nostr/event.h"

// Finds the event inside a frame without parsing it. Private to this layer.
namespace ipnscast::nostr {

struct EventFrame {
  std::string_view subscription;
  std::string_view event;  // "{...}", bytes as received
  // The first "id" that looks like a member. Only a guess at where to look first.
  std::optional<EventId> claimed_id;
};

// The parts of ["EVENT","<subscription>",{...}] when the frame has this plain form: three items, no
// escape in the subscription id. Nothing is checked inside the braces; for text that is no JSON the
// answer means nothing.
std::optional<EventFrame> find_event(std::string_view frame);

// From the first '{' to the last '}': the event of a frame that parsed and has one, or a little
// more when items follow it. Bounds its size from above.
std::string_view event_text(std::string_view frame);

}  // namespace ipnscast::nostr
