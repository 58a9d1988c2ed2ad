#pragma once

#include <vector>

#include "ipnscast/nostr/event/filter.h"
#include "ipnscast/tools/session/session.h"

namespace ipnscast::tools {

// What the relays have stored for one filter, verified, each event once. Errc::unreachable when
// none of them answered by the deadline.
Result<std::vector<nostr::Event>> stored_events(const Session& session,
                                                std::vector<nostr::RelayUrl> relays,
                                                const nostr::Filter& filter, Milliseconds deadline);

}  // namespace ipnscast::tools
