#include "ipnscast/tools/session/bridge_options.h"

namespace ipnscast::tools {

Status fill_bridge_options(const bridge::Settings& settings, bridge::BridgeOptions& options) {
  const bridge::BridgeSettings& wanted = settings.bridge;
  if (!wanted.names_from.empty())
    return fail(Errc::unsupported, "bridge.names_from: not supported yet, use bridge.names");
  if (wanted.store != "sqlite")
    return fail(Errc::unsupported, "bridge.store: only \"sqlite\" is supported yet");
  for (const std::string& text : wanted.names) {
    auto name = sync::IpnsName::parse(text);
    if (!name) return fail(name.error().within("bridge.names"));
    if (std::find(options.names.begin(), options.names.end(), *name) == options.names.end())
      options.names.push_back(std::move(*name));
  }
  if (settings.relays.private_hints && !options.names.empty())
    return fail(Errc::invalid,
                "relays.private: a bridge announces for others, who could not read that; give it a "
                "configuration without");
  options.kinds = settings.relays.public_kinds;
  options.topic = settings.relays.topic;
  options.pubsub = settings.sources.pubsub;
  options.poll_min = wanted.poll_fastest;
  options.poll_max = wanted.poll_slowest;
  options.resolve_timeout = wanted.resolve_timeout;
  auto access = bridge::relay_access(settings);
  if (!access) return fail(access.error());
  options.access = std::move(*access);
  options.auth = settings.relays.auth;
  auto quorum = bridge::to_quorum(settings.relays.quorum);
  if (!quorum) return fail(quorum.error().within("relays"));
  options.quorum = std::move(*quorum);
  options.read_back = settings.relays.read_back;
  options.retry_min = settings.publish.retry_min;
  options.retry_max = settings.publish.retry_max;
  options.outbox = bridge::outbox_limits(settings.publish);
  return {};
}

Result<bridge::BridgeOptions> bridge_options(const Session& session) {
  bridge::BridgeOptions out;
  if (auto filled = fill_bridge_options(session.settings(), out); !filled)
    return fail(filled.error());
  if (out.names.empty())
    return fail(Errc::invalid,
                "bridge.names: no names to watch: " + session.how_to_set("bridge.names"));
  auto config = session.sync_config();
  if (!config) return fail(config.error());
  if (config->relays.empty())
    return fail(Errc::invalid,
                "relays.urls: no relays to announce at: " + session.how_to_set("relays.urls"));
  if (config->gateways.empty())
    return fail(Errc::invalid,
                "gateways: none to ask: " +
                    session.how_to_set("gateways.nodes, gateways.public or gateways.slow"));
  if (auto fits = config->quorum.fits(config->relays); !fits)
    return fail(fits.error().within("relays"));
  if (!config->signer) return fail(Errc::invalid, session.no_key().message);
  out.state_dir = session.state_dir();
  out.relays = std::move(config->relays);
  out.gateways = std::move(config->gateways);
  out.record_cache = config->record_cache;
  out.not_found_cache = config->not_found_cache;
  out.breaker_failures = config->breaker_failures;
  out.breaker = config->breaker;
  out.signer = std::move(config->signer);
  return out;
}

}  // namespace ipnscast::tools
