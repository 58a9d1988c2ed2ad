#pragma once

#include <optional>
#include <string_view>

// Finds the event inside a frame without parsing it. Private to this layer.
namespace ipnscast::nostr {

struct EventFrame {
  std::string_view subscription;
  std::string_view event;  // "{...}", bytes as received
};

// The parts of ["EVENT","<subscription>",{...}] when the frame has this plain form: three items, no
// escape in the subscription id. Nothing is checked inside the braces; for text that is no JSON the
// answer means nothing.
std::optional<EventFrame> find_event(std::string_view frame);

// The 64 characters of the first thing in an event's text that looks like its id; empty when there
// is none. A guess: nobody has looked whether it is the id.
std::string_view guess_id(std::string_view event);

// From the first '{' to the last '}': the event of a frame that parsed and has one, or a little
// more when items follow it. Bounds its size from above.
std::string_view event_text(std::string_view frame);

}  // namespace ipnscast::nostr
