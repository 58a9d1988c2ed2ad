#include "ipnscast/tools/session/kept_records.h"

namespace ipnscast::tools {

Result<std::unique_ptr<sync::Client>> keep_records(const Session& session,
                                                   const std::filesystem::path& directory,
                                                   std::vector<sync::Gateway> gateways) {
  if (!session.settings().bridge.keep_alive) return std::unique_ptr<sync::Client>();
  sync::Config config = session.settings().engine;
  config.state_dir = directory;
  config.relays.clear();
  config.private_hints = false;
  config.gateways = std::move(gateways);
  auto client = sync::Client::open(std::move(config));
  if (!client) return fail(client.error().within("bridge.keep_alive"));
  for (const sync::IpnsKey& key : session.open_keys()) {
    if (auto kept = (*client)->keep_alive(key); !kept) return fail(kept.error());
  }
  return std::move(*client);
}

}  // namespace ipnscast::tools
