#include "ipnscast/tools/session/relay_settings.h"

#include <algorithm>

#include "ipnscast/nostr/net/stream/name_lookup.h"

namespace ipnscast::tools {
namespace {

// Of other machines, which share the places and the processor. On loopback a proxy may stand in
// front of many clients, and what runs here can do worse than ask.
constexpr int kRate = 100;
constexpr int kClientsPerAddress = 100;

// So many events and requests a second of one connection, five seconds' worth of them at once; 0:
// no limit.
void limit_rates(nostr::server::RelayOptions& options, double events, double requests) {
  constexpr double kSeconds = 5;  // of the rate that may come at once
  options.events_per_second = events;
  options.event_burst = std::max(options.event_burst, events * kSeconds);
  options.requests_per_second = requests;
  options.request_burst = std::max(options.request_burst, requests * kSeconds);
}

}  // namespace

nostr::server::RelayServerOptions relay_options(const bridge::RelaySettings& settings) {
  nostr::server::RelayServerOptions out = settings.server;
  out.address = settings.listen.address;
  out.port = settings.listen.port;
  const bool loopback = nostr::net::NameLookup::is_loopback(out.address);
  const auto limit = [loopback](const std::optional<int>& wanted, int otherwise) {
    return wanted.value_or(loopback ? 0 : otherwise);
  };
  out.max_connections_per_address =
      static_cast<size_t>(limit(settings.max_clients_per_address, kClientsPerAddress));
  limit_rates(out.relay, limit(settings.rate, kRate), limit(settings.request_rate, kRate));
  return out;
}

}  // namespace ipnscast::tools
