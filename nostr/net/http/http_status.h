#pragma once

// Private to nostr/net.

namespace ipnscast::nostr::net {

// The words behind a status. RFC 9110 section 15.
const char* reason_phrase(int status);

}  // namespace ipnscast::nostr::net
