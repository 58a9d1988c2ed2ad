#include "ipnscast/tools/session/reading_client.h"

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/sync/writer/lost_view.h"

namespace ipnscast::tools {

Result<ReadingClient> ReadingClient::open(sync::Config config) {
  config.announce_device = false;
  auto client = sync::Client::open(config);
  if (client) return ReadingClient(std::nullopt, {}, std::move(*client));
  if (client.error().code != Errc::conflict) return fail(client.error());
  log_info("session", client.error().message + "; going on beside it");
  auto state = TemporaryDirectory::make();
  if (!state) return fail(state.error());
  config.known_dir = config.state_dir;
  config.state_dir = state->path() / "state";
  config.cache_dir.clear();
  std::filesystem::path known_dir = config.known_dir;
  client = sync::Client::open(std::move(config));
  if (!client) return fail(client.error());
  return ReadingClient(std::move(*state), std::move(known_dir), std::move(*client));
}

std::vector<sync::LostPublish> ReadingClient::lost(const sync::IpnsName& name) {
  return known_dir_.empty() ? client_->lost(name) : lost_there(known_dir_, name);
}

std::vector<sync::LostPublish> lost_there(const std::filesystem::path& state_dir,
                                          const sync::IpnsName& name) {
  auto lost = sync::read_lost(state_dir, name);
  if (lost) return std::move(*lost);
  log_info("session", "what was displaced cannot be read: " + lost.error().message);
  return {};
}

}  // namespace ipnscast::tools
