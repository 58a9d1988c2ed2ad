#include "ipnscast/tools/session/reading_client.h"

#include "ipnscast/nostr/base/log.h"

namespace ipnscast::tools {

Result<ReadingClient> ReadingClient::open(sync::Config config) {
  auto client = sync::Client::open(config);
  if (client) return ReadingClient(std::nullopt, std::move(*client));
  if (client.error().code != Errc::conflict) return fail(client.error());
  log_info("session", client.error().message + "; going on beside it");
  auto state = TemporaryDirectory::make();
  if (!state) return fail(state.error());
  config.known_dir = config.state_dir;
  config.state_dir = state->path() / "state";
  config.cache_dir.clear();
  client = sync::Client::open(std::move(config));
  if (!client) return fail(client.error());
  return ReadingClient(std::move(*state), std::move(*client));
}

}  // namespace ipnscast::tools
