#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ipnscast/sync/gateway/endpoint.h"
#include "ipnscast/sync/ipfs/ipld/cid.h"

namespace ipnscast::sync::gateway {

// Delegated routing v1: who has a CID, as far as they are trustless gateways over HTTP
// (transport-ipfs-gateway-http). Strangers, named by strangers: whoever connects to them does so
// with NamedBy::others, unless the configuration allows any host.

inline constexpr size_t kMaxProviders = 4;

// Which of the hosts that routers name are contacted.
enum class ProviderHosts {
  none,         // none: routers are not asked
  public_only,  // over TLS, at public addresses
  any,          // also loopback and private addresses, and without TLS
};

// GET /routing/v1/providers/{cid}
HttpCall providers_call(const Endpoint& endpoint, const Cid& cid);
// URLs of gateways, kMaxProviders at most, in the order given; JSON or lines of JSON. Errc::parse,
// Errc::not_found when nobody is named who could be used, errors of check_status().
Result<std::vector<std::string>> read_providers(const HttpAnswer& answer, ProviderHosts hosts);

// "/dns4/host/tcp/443/https" as "https://host". Nothing for other multiaddrs: only
// /ip4 /ip6 /dns /dns4 /dns6, /tcp, and then /https, /tls/http, /tls/sni/host/http or /http, and
// perhaps a /p2p/id behind it.
std::optional<std::string> http_url_of(std::string_view multiaddr);

}  // namespace ipnscast::sync::gateway
