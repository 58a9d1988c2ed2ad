#pragma once

#include <string_view>
#include <vector>

#include "ipnscast/nostr/event/event.h"
#include "ipnscast/tools/session/target.h"

namespace ipnscast::tools {

// Where a name that is published or followed here is announced.
struct Announcer {
  sync::IpnsName name;
  nostr::Address address;               // of its hints
  std::vector<nostr::RelayUrl> relays;  // of the configuration, that may be shown to others
};

// `typed`, `derived` and `deadline` are those of resolve_target(). The state directory says who
// announces the name; where it does not, the relays are asked for the hints of trusted authors.
// Errc::refused for a name that is announced to our own devices only, or no more; Errc::not_found
// when the name is neither published nor followed here, or nobody is known to announce it;
// Errc::invalid without a relay; else as resolve_target().
Result<Announcer> find_announcer(const Session& session, std::string_view typed, bool derived,
                                 Milliseconds deadline);

}  // namespace ipnscast::tools
