#include "ipnscast/tools/session/shared_client.h"

#include <thread>

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/sync/state_beside.h"

namespace ipnscast::tools {
namespace {

constexpr Milliseconds kWaitForLock{10'000};
constexpr Milliseconds kLockAgain{50};

}  // namespace

Result<std::unique_ptr<sync::Client>> open_or_attach(sync::Config config, Milliseconds most) {
  config.announce_device = false;
  const Instant end = std::chrono::steady_clock::now() + std::min(most, kWaitForLock);
  for (bool told = false;; told = true) {
    auto client = sync::Client::open(config);
    if (client || client.error().code != Errc::conflict) return client;
    auto beside = sync::Client::attach(config);
    if (beside || beside.error().code != Errc::not_found) return beside;
    if (std::chrono::steady_clock::now() >= end) {
      client.error().message += ": it does not take commands";
      return client;
    }
    if (!told) log_info("session", client.error().message + "; waiting for it");
    std::this_thread::sleep_for(kLockAgain);
  }
}

Result<Follower> Follower::open(sync::Config config, bool once, const std::string& label) {
  Follower out;
  const auto begin = [&](sync::Config how) -> Status {
    auto client = sync::Client::open(how);
    if (!client) return fail(client.error());
    out.config = std::move(how);
    out.client = std::move(*client);
    return {};
  };
  if (!label.empty()) {
    auto place = sync::place_beside(config.state_dir, label);
    if (!place) return fail(place.error());
    out.beside = true;
    if (auto begun = begin(sync::config_beside(config, *place)); !begun) return fail(begun.error());
    return out;
  }
  if (!once) {
    config.take_commands = true;
    auto begun = begin(config);
    if (begun) return out;
    if (begun.error().code != Errc::conflict) return fail(begun.error());
    log_info("session", begun.error().message + "; going on beside it");
  }
  auto made = TemporaryDirectory::make();
  if (!made) return fail(made.error());
  out.state.emplace(std::move(*made));
  out.beside = out.fresh = true;
  const auto place = out.state->path() / "state";
  if (auto begun = begin(sync::config_beside(config, place)); !begun) return fail(begun.error());
  return out;
}

}  // namespace ipnscast::tools
