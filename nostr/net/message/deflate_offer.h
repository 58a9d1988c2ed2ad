#pragma once

// Private to nostr/net.
#include <optional>
#include <string>
#include <string_view>

namespace ipnscast::nostr::net {

// Picks the first offer of permessage-deflate in a client's Sec-WebSocket-Extensions that a server
// of ours can keep, and returns what it answers. Nothing when none fits: the connection goes on
// without. It can keep any but one for a window smaller than the full one; each message that it
// sends stands alone. RFC 7692 section 7.1
std::optional<std::string> accept_deflate(std::string_view offers);

}  // namespace ipnscast::nostr::net
