#include "tools/relay_settings.h"

#include "nostr/nip19.h"
#include "tools/listen_address.h"

namespace ipnscast::tools {

Status fill_relay_options(const bridge::EmbeddedRelaySettings& settings,
                          nostr::server::RelayServerOptions& options) {
  auto listen = parse_listen_address(settings.listen);
  if (!listen) return fail(listen.error().within("relay.listen"));
  options.address = std::move(listen->address);
  options.port = listen->port;
  options.max_store_bytes = settings.max_bytes;
  options.relay.owner_private = settings.owner_private;
  for (const std::string& writer : settings.writers) {
    const auto key = nostr::parse_public_key(writer);
    if (!key) return fail(key.error().within("relay.writers: " + writer));
    options.relay.writers.insert(*key);
  }
  // Other machines share the places; on loopback a proxy may stand in front of many clients.
  const bool loopback = options.address == "::1" || options.address.starts_with("127.");
  options.max_connections_per_address = loopback ? 0 : 100;
  return {};
}

}  // namespace ipnscast::tools
