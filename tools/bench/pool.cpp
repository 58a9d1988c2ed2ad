#include "ipnscast/tools/bench/pool.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "ipnscast/nostr/pool/pool.h"
#include "ipnscast/nostr/server/relay_server.h"
#include "ipnscast/nostr/server/subscription_index.h"
#include "ipnscast/tools/bench/measure.h"
#include "ipnscast/tools/bench/server_process.h"

namespace ipnscast::tools {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::minutes kLivePatience{2};
constexpr size_t kFilterItems = 10;  // of filter_of(), and some

// Which subscriptions are live at which relays. A share may be lost, and told so, before it is
// live.
class LiveShares {
 public:
  LiveShares(size_t relays, size_t subscriptions)
      : relays_(relays), live_(relays * subscriptions, false) {}

  void told(size_t subscription, const nostr::PoolLink& link) {
    const size_t relay = std::stoul(link.relay.path().substr(1));
    std::lock_guard lock(mutex_);
    auto share = live_[subscription * relays_ + relay];
    if (share != link.live) count_ += link.live ? 1 : size_t(-1);
    share = link.live;
    if (!link.reason.empty()) last_reason_ = link.reason;
    if (count_ == live_.size()) all_live_.notify_one();
  }

  Status wait_until(steady_clock::time_point end) {
    std::unique_lock lock(mutex_);
    if (all_live_.wait_until(lock, end, [this] { return count_ == live_.size(); })) return {};
    return fail(Errc::timeout, "bench: only " + std::to_string(count_) + " of " +
                                   std::to_string(live_.size()) +
                                   " shares are live: " + last_reason_);
  }

 private:
  const size_t relays_;
  std::mutex mutex_;
  std::condition_variable all_live_;
  std::vector<bool> live_;
  size_t count_ = 0;
  std::string last_reason_;
};

nostr::Filter filter_of(size_t number) {
  nostr::Filter out;
  out.kinds = {30078, 30079};
  out.authors.resize(1);
  for (size_t i = 0; i < sizeof(number); ++i)
    out.authors[0].bytes[i] = static_cast<uint8_t>(number >> (8 * i));
  out.tags['d'] = {"ipns-sync-k51qzi5uqu5dhbucpoao44lx7txki8bokz8n2cucag2rl87ahq2hv090gg" +
                   std::to_string(number)};
  return out;
}

struct PoolServers {
  std::unique_ptr<nostr::net::Loop> loop;
  std::unique_ptr<nostr::server::RelayServer> relay;
};

std::vector<uint16_t> start_relay(size_t relays, size_t subscriptions,
                                  std::shared_ptr<void>& keep) {
  auto loop = nostr::net::Loop::start();
  if (!loop) return {};
  nostr::server::RelayServerOptions options;
  options.port = 0;
  options.max_connections = relays + 10;
  options.max_connections_per_address = relays + 10;
  options.relay.max_subscriptions = subscriptions + 10;
  const size_t filters = relays * subscriptions * nostr::server::count_bytes(filter_of(0));
  options.relay.max_subscription_items = relays * subscriptions * kFilterItems;
  options.relay.max_subscription_bytes = filters;
  options.relay.max_subscription_bytes_total = 2 * filters;
  auto relay = nostr::server::RelayServer::start(**loop, options);
  if (!relay) return {};
  const uint16_t port = (*relay)->port();
  keep = std::make_shared<PoolServers>(PoolServers{std::move(*loop), std::move(*relay)});
  return {port};
}

}  // namespace

Result<PoolBenchResult> bench_pool(size_t relays, size_t subscriptions) {
  const ServerProcess server(
      1, [&](std::shared_ptr<void>& keep) { return start_relay(relays, subscriptions, keep); });
  if (server.ports().empty()) return fail(Errc::io, "bench: the relay does not start");
  PoolBenchResult out;
  out.mib_at_start = resident_mib();
  auto loop = nostr::net::Loop::start();
  if (!loop) return fail(loop.error());
  nostr::PoolOptions options;
  options.read_information = false;
  for (size_t i = 0; i < relays; ++i) {
    options.relays.push_back(*nostr::RelayUrl::parse(
        "ws://127.0.0.1:" + std::to_string(server.ports().front()) + "/" + std::to_string(i)));
  }
  LiveShares live(relays, subscriptions);
  const auto start = steady_clock::now();
  const auto pool = nostr::Pool::start(**loop, std::move(options));
  for (size_t i = 0; i < subscriptions; ++i) {
    pool->subscribe({filter_of(i)}, [&live, i](nostr::PoolMessage& message) {
      if (const auto* link = std::get_if<nostr::PoolLink>(&message)) live.told(i, *link);
      return true;
    });
  }
  if (Status all = live.wait_until(start + kLivePatience); !all) return fail(all.error());
  out.seconds = std::chrono::duration<double>(steady_clock::now() - start).count();
  out.mib_live = resident_mib();
  out.mib_most = most_resident_mib();
  return out;
}

}  // namespace ipnscast::tools
