#pragma once

// Private to nostr/net.
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "ipnscast/nostr/base/public_address.h"
#include "ipnscast/nostr/event/relay_url.h"
#include "ipnscast/nostr/net/stream/proxy_url.h"
#include "ipnscast/nostr/net/stream/unique_fd.h"

// The one place where nostr/net opens TCP connections, and so the one that keeps what others name
// out of the own network (R39).
namespace ipnscast::nostr::net {

struct ConnectFailure {
  int error = 0;           // of socket() or connect()
  bool forbidden = false;  // the address is not public, and others named the host; nothing was sent
};

// A non-blocking socket on which connect() is under way. `address` is numeric.
tl::expected<UniqueFd, ConnectFailure> begin_connect(const std::string& address, uint16_t port,
                                                     NamedBy named_by);

// Why this relay must not be asked of a proxy; nothing when it may. The proxy looks names up, and
// may do so inside of the own network, so of what others named only public addresses as such go
// through it, and onion services, which are nowhere else.
std::optional<std::string> refused_by_proxy(const RelayUrl& url);

// For people, of an address that begin_connect() refused.
std::string forbidden_text(const RelayUrl& url, const std::string& address);

}  // namespace ipnscast::nostr::net
