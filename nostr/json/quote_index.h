#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace ipnscast::nostr {

// Where the strings of a JSON text begin and end, found by blocks of 64 bytes: the position of
// every quote that no backslash escapes. Private to this layer. Nothing when there is an escape
// that NIP-01's canonical form never has (\/ and \u....). `text` is shorter than 4 GiB; a backslash
// outside of strings counts as an escape as well. The answer lives in `buffer`.
std::optional<std::span<const uint32_t>> index_quotes(std::string_view text,
                                                      std::vector<uint32_t>& buffer);

}  // namespace ipnscast::nostr
