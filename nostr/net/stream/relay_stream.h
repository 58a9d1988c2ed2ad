#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "ipnscast/nostr/net/stream/access.h"
#include "ipnscast/nostr/net/stream/raw_stream.h"

// Private to nostr.
namespace ipnscast::nostr::net {

// Whose name has to be looked up to reach the relay: its proxy's, if there is one.
const std::string& host_to_look_up(const RelayUrl& url, const Access& access);

struct StreamTimes {
  std::chrono::microseconds connect{0};  // TCP, and the talk with the proxy
  std::optional<std::chrono::microseconds> tls;
};

// A stream to the relay, as `access` says: through the proxy, with TLS for wss. `addresses` are
// those of host_to_look_up(), tried one after the other. Errc::unreachable, Errc::refused (the
// certificate, the key, or the proxy), Errc::invalid (the CA file), Errc::timeout, Errc::cancelled.
Result<RawStream> open_relay_stream(const RelayUrl& url, const Access& access,
                                    const std::vector<std::string>& addresses,
                                    const Patience& patience, StreamTimes& times);

}  // namespace ipnscast::nostr::net
