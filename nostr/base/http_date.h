#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ipnscast/nostr/base/clock.h"

namespace ipnscast {

// "Sun, 06 Nov 1994 08:49:37 GMT", the form of RFC 9110 section 5.6.7 that is still made. Nothing
// for any other text, the two obsolete forms among them.
std::optional<UnixSeconds> parse_http_date(std::string_view text);

// The years 1970 to 9999; what lies outside is taken for the nearest of them.
std::string http_date(UnixSeconds time);

}  // namespace ipnscast
