#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ipnscast::nostr::net {

// Whether a server on this machine is meant by this Host header. A page of a stranger can make a
// browser take the stranger's own name for 127.0.0.1 ("DNS rebinding") and then reads our answers
// as its own; the Host header still has that name. Ours are addresses, names without a dot, names
// that no stranger can have (localhost, .localhost, .local, .internal, .onion), and `names`.
bool is_our_host(std::string_view host, const std::vector<std::string>& names);

}  // namespace ipnscast::nostr::net
