#include "ipnscast/tools/session/relay_settings.h"

#include <algorithm>

#include "ipnscast/nostr/event/nip19.h"
#include "ipnscast/nostr/net/stream/name_lookup.h"
#include "ipnscast/tools/cli/listen_address.h"

namespace ipnscast::tools {
namespace {

constexpr uint64_t kLeastEvents = 1024 * 1024;
constexpr uint64_t kLeastWaiting = 16 * 1024 * 1024;  // one client's answers, and some more

// Of other machines, which share the places and the processor. On loopback a proxy may stand in
// front of many clients, and what runs here can do worse than ask.
constexpr int kRate = 100;
constexpr int kClientsPerAddress = 100;

Status fill_keys(const bridge::EmbeddedRelaySettings& settings,
                 nostr::server::RelayServerOptions& options) {
  for (const std::string& writer : settings.writers) {
    const auto key = nostr::parse_public_key(writer);
    if (!key) return fail(key.error().within("relay.writers: " + writer));
    options.relay.writers.insert(*key);
  }
  for (const std::string& text : settings.urls) {
    const auto url = nostr::RelayUrl::parse(text);
    if (!url) return fail(url.error().within("relay.urls"));
    options.urls.push_back(*url);
  }
  return {};
}

}  // namespace

void limit_rates(nostr::server::RelayOptions& options, double events, double requests) {
  constexpr double kSeconds = 5;  // of the rate that may come at once
  options.events_per_second = events;
  options.event_burst = std::max(options.event_burst, events * kSeconds);
  options.requests_per_second = requests;
  options.request_burst = std::max(options.request_burst, requests * kSeconds);
}

Status fill_relay_options(const bridge::EmbeddedRelaySettings& settings,
                          nostr::server::RelayServerOptions& options) {
  auto listen = parse_listen_address(settings.listen);
  if (!listen) return fail(listen.error().within("relay.listen"));
  if (settings.max_bytes < kLeastEvents)
    return fail(Errc::invalid, "relay.max_bytes: want at least 1MiB");
  if (settings.max_waiting < kLeastWaiting)
    return fail(Errc::invalid, "relay.max_waiting: want at least 16MiB");
  if (settings.max_clients == 0) return fail(Errc::invalid, "relay.max_clients: want at least 1");
  options.address = std::move(listen->address);
  options.port = listen->port;
  options.max_store_bytes = settings.max_bytes;
  options.max_connections = settings.max_clients;
  options.max_waiting_bytes = settings.max_waiting;
  options.relay.owner_private = settings.owner_private;
  if (Status filled = fill_keys(settings, options); !filled) return filled;
  const bool loopback = nostr::net::NameLookup::is_loopback(options.address);
  const auto limit = [loopback](const std::optional<int>& wanted, int otherwise) {
    return wanted.value_or(loopback ? 0 : otherwise);
  };
  options.max_connections_per_address =
      static_cast<size_t>(limit(settings.max_clients_per_address, kClientsPerAddress));
  limit_rates(options.relay, limit(settings.rate, kRate), limit(settings.request_rate, kRate));
  return {};
}

}  // namespace ipnscast::tools
