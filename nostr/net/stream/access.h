#pragma once

#include <optional>
#include <string>

#include "ipnscast/nostr/net/stream/key_pins.h"
#include "ipnscast/nostr/net/stream/proxy_url.h"

namespace ipnscast::nostr::net {

// How relays are reached; the same for all of a pool.
struct Access {
  std::string ca_file{};  // certificate authorities as PEM; empty: the system's
  // Every connection goes through it, and it looks the relays' names up. None: straight, and .onion
  // names are refused.
  std::optional<ProxyUrl> proxy{};
  KeyPins pins{};       // instead of authorities, where there are any
  bool deflate = true;  // offer permessage-deflate (RFC 7692)
};

}  // namespace ipnscast::nostr::net
