#pragma once

// Private to nostr/net.
#include <string>
#include <string_view>

#include "ipnscast/nostr/net/stream/closed.h"

namespace ipnscast::nostr::net {

// How long a Retry-After header asks to stay away: seconds or an HTTP date. RFC 9110
// section 10.2.3. 0 for what is absent, past or unreadable; a day at most.
Milliseconds retry_after(std::string_view header, UnixMillis now);

// What an HTTP answer instead of a WebSocket means.
Closed http_refusal(const std::string& host, int status, Milliseconds retry_after);

}  // namespace ipnscast::nostr::net
