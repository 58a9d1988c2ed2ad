#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ipnscast/nostr/event/event.h"

// An event's text cut into its members without a parse, and the id straight from there.
namespace ipnscast::nostr {

struct EventSlices {
  std::string_view id;      // the digits, as for pubkey and sig
  std::string_view pubkey;  // 64 characters; not looked at
  std::string_view sig;
  std::string_view created_at;  // digits
  std::string_view kind;        // digits
  std::string_view tags;        // [["d","x"],...] without white space between the tokens
  std::string_view content;     // with its quotes
};

// The members of "{...}" when they stand there as NIP-01 hashes them: the seven and no other, in
// any order, with any white space between tokens, strings with NIP-01's short escapes only. Nothing
// for every other text, also for valid events that are written otherwise; those have to be parsed.
// The slices live as long as the text and the buffers, of which several calls may use the same.
struct SliceBuffers {
  std::vector<uint32_t> quotes;
  std::string tags;  // when white space had to be left out
};
std::optional<EventSlices> slice_event(std::string_view event, SliceBuffers& buffers);

// The id of the event that the slices spell. When it is that of an event whose signature was
// verified, then the text is a copy of it apart from `id` and `sig`: the same hash means the same
// bytes. When the text is valid JSON, it is compute_id() of the parsed event.
EventId compute_id(const EventSlices& slices);

}  // namespace ipnscast::nostr
