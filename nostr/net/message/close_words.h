#pragma once

// Private to nostr/net.
#include <string>
#include <string_view>

namespace ipnscast::nostr::net {

// How a connection ended that the relay closed, for a person: the code of its close frame, what the
// code means, and the reason that came with it. Code 0: there was no close frame.
std::string close_words(int code, std::string_view reason);

}  // namespace ipnscast::nostr::net
