#pragma once

// Private to nostr/net.
#include <string>
#include <vector>

namespace ipnscast::nostr::net {

// The order in which to try numeric addresses: the resolver's, with the families taking turns,
// beginning with that of its first choice. RFC 8305 section 4
std::vector<std::string> families_taking_turns(const std::vector<std::string>& addresses);

}  // namespace ipnscast::nostr::net
