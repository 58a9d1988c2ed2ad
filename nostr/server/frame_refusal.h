#pragma once

#include <string_view>

#include "ipnscast/nostr/event/message.h"

namespace ipnscast::nostr::server {

// What to answer to a client's frame that did not parse: OK false for an EVENT whose id can be
// read, CLOSED for a REQ or COUNT and NEG-ERR for a NEG-* whose subscription id can be read, NOTICE
// for the rest. NIP-01, NIP-77.
RelayMessage refusal_of(std::string_view frame, const Error& why);

}  // namespace ipnscast::nostr::server
