#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ipnscast::nostr {

// simdjson refuses a whole text for one number that fits neither 64 bits nor a double, although
// JSON allows it and it may stand in a member that nobody reads. Gives the text with each such
// number (grammatical, 18 characters and more, or with an exponent) replaced by 0.5, which no
// integer field takes; nothing when there is none. Private to this layer.
std::optional<std::string> replace_wide_numbers(std::string_view json);

}  // namespace ipnscast::nostr
