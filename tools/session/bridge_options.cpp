#include "ipnscast/tools/session/bridge_options.h"

#include "ipnscast/tools/session/bridge_settings.h"

namespace ipnscast::tools {

std::filesystem::path bridge_directory(const std::filesystem::path& state_dir) {
  return state_dir / "bridge";
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
  out.state_dir = bridge_directory(session.state_dir());
  out.publisher_dir = session.state_dir();
  out.relays = std::move(config->relays);
  out.gateways = std::move(config->gateways);
  out.signer = std::move(config->signer);
  return out;
}

}  // namespace ipnscast::tools
