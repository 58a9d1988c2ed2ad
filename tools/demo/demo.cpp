#include "ipnscast/tools/demo/demo.h"

#include <algorithm>
#include <set>
#include <system_error>

#include "ipnscast/nostr/nip/local_signer.h"
#include "ipnscast/tools/demo/tree.h"

namespace ipnscast::tools::demo {
namespace {

namespace fs = std::filesystem;

// Often enough to be watched; the daemon's default is 5 s to 10 min.
constexpr Milliseconds kBridgePollMin{500};
constexpr Milliseconds kBridgePollMax{1'000};

Microseconds since(Instant start, Instant end) {
  return std::chrono::duration_cast<Microseconds>(end - start);
}

Result<sync::IpnsKey> derived_key(const nostr::SecretKey& secret) {
  return sync::IpnsKey::derive_ed25519(secret.secret_view());
}

// A node gets the blocks first, then the record.
std::string words(const sync::Outcome::Place& place, std::set<std::string>& nodes) {
  switch (place.kind) {
    case sync::Outcome::Place::Kind::node:
      return nodes.insert(place.url).second ? "blocks at the node" : "record at the node";
    case sync::Outcome::Place::Kind::router:
      return "record at the router";
    case sync::Outcome::Place::Kind::relay:
      return "hint acknowledged by the relay";
  }
  return {};
}

// What the publisher itself knows: how long each of its hops took.
void add_publishing(Journey& journey, const sync::Outcome& outcome) {
  journey.hops.push_back({"packed", "publisher", outcome.packed, outcome.packed});
  std::set<std::string> nodes;
  for (const auto& place : outcome.places)
    journey.hops.push_back({words(place, nodes), place.url + "  " + place.detail, place.took, {}});
}

}  // namespace

// What the bridge's threads report.
struct Demo::BridgeNews {
  struct Announced {
    bridge::Announcement announcement;
    Instant at;
  };
  struct Acknowledged {
    nostr::PublishReport report;
    Instant at;
  };
  Inbox<Announced> announced{64};
  Inbox<Acknowledged> acknowledged{64};
};

struct Demo::Published {
  sync::Outcome outcome;
  Now start;
  Instant end;
};

Demo::Demo(fs::path directory)
    : directory_(std::move(directory)), news_(std::make_shared<BridgeNews>()) {}

Demo::~Demo() = default;

Result<std::unique_ptr<Demo>> Demo::start(fs::path directory) {
  std::unique_ptr<Demo> demo(new Demo(std::move(directory)));
  if (auto started = demo->start_all(); !started) return fail(started.error());
  return demo;
}

Status Demo::start_all() {
  const auto owner = nostr::SecretKey::generate();
  auto own_key = derived_key(owner);
  if (!own_key) return fail(own_key.error());
  own_key_.emplace(std::move(*own_key));
  auto quiet_key = derived_key(nostr::SecretKey::generate());
  if (!quiet_key) return fail(quiet_key.error());
  quiet_key_.emplace(std::move(*quiet_key));
  signer_ = nostr::make_local_signer(owner.clone());

  bridge::StackOptions options;
  options.directory = directory_ / "stack";
  options.relay_port = options.gateway_port = options.rpc_port = options.metrics_port = 0;
  options.bridge.names = {quiet_key_->name()};
  options.bridge.poll_min = kBridgePollMin;
  options.bridge.poll_max = kBridgePollMax;
  options.bridge.on_announced = [news = news_](const bridge::Announcement& announcement) {
    news->announced.push_reserved({announcement, std::chrono::steady_clock::now()});
  };
  options.bridge.on_report = [news = news_](const sync::IpnsName&,
                                            const nostr::PublishReport& report) {
    news->acknowledged.push_reserved({report, std::chrono::steady_clock::now()});
  };
  auto stack = bridge::Stack::start(std::move(options));
  if (!stack) return fail(stack.error());
  stack_ = std::move(*stack);
  return open_devices();
}

Status Demo::open_devices() {
  const std::vector<nostr::PublicKey> trusted = {signer_->public_key(), stack_->bridge_key()};
  const auto open = [&](std::unique_ptr<Device>& device, Device::Options options) -> Status {
    auto opened = Device::open(*stack_, std::move(options));
    if (!opened) return fail(opened.error());
    device = std::move(*opened);
    return {};
  };
  if (auto opened = open(first_, {directory_ / "device-1", signer_, trusted}); !opened)
    return opened;
  if (auto opened = open(second_, {directory_ / "device-2", signer_, trusted}); !opened)
    return opened;
  if (auto opened = open(quiet_, {directory_ / "publisher", {}, {}, false}); !opened) return opened;
  if (auto followed = second_->follow(own_key_->name()); !followed) return followed;
  return second_->follow(quiet_key_->name());
}

Result<Demo::Published> Demo::publish(Device& device, const sync::IpnsKey& key,
                                      const fs::path& tree) {
  const Now start = system_now();
  auto outcome = device.client().publish(key, tree);
  if (!outcome) return fail(outcome.error());
  return Published{std::move(*outcome), start, std::chrono::steady_clock::now()};
}

Result<Handed> Demo::receive(Journey& journey, const Published& published, const fs::path& mirror,
                             Instant deadline) {
  const auto handed =
      second_->next_change(published.outcome.name, published.outcome.sequence, deadline);
  if (!handed) return fail(handed.error());
  const sync::Change& change = handed->change;
  // The engine notes it in whole milliseconds; the rest of the way cannot have begun later.
  const Microseconds handed_at = since(published.start.steady, handed->at);
  const Microseconds seen =
      std::min<Microseconds>(Milliseconds(change.seen.value - published.start.wall.value),
                             handed_at - change.timing.fetched);
  const std::string by = change.source == sync::SourceKind::nostr
                             ? "hint seen"
                             : "seen by " + std::string(sync::to_string(change.source));
  journey.hops.push_back({by, "device 2", {}, seen});
  journey.hops.push_back(
      {"record confirmed", "device 2", change.timing.confirmed, seen + change.timing.confirmed});
  journey.hops.push_back(
      {"content fetched", "device 2", change.timing.fetched, seen + change.timing.fetched});
  journey.hops.push_back({"handed over", "device 2", {}, handed_at});
  std::error_code ignored;
  fs::remove_all(mirror, ignored);
  const Instant begin = std::chrono::steady_clock::now();
  const auto left = std::chrono::duration_cast<Milliseconds>(deadline - begin);
  if (auto got = second_->client().get(*change.cid, "", mirror, {.deadline = left}); !got)
    return fail(got.error());
  const Instant end = std::chrono::steady_clock::now();
  journey.hops.push_back(
      {"mirrored", "device 2", since(begin, end), since(published.start.steady, end)});
  return *handed;
}

Result<Journey> Demo::own_change(bool change, Instant deadline) {
  const fs::path tree = directory_ / "tree";
  if (auto written = change ? change_tree(tree) : write_tree(tree); !written)
    return fail(written.error());
  const auto size = measure_tree(tree);
  if (!size) return fail(size.error());
  const auto published = publish(*first_, *own_key_, tree);
  if (!published) return fail(published.error());
  const sync::Outcome& outcome = published->outcome;
  Journey out{change ? "The tree changes: device 1 publishes it again"
                     : "Device 1 publishes a tree of " + std::to_string(size->files) + " files, " +
                           std::to_string(size->bytes / 1024) + " KiB",
              outcome.name.to_string(),
              std::to_string(outcome.sequence.value),
              outcome.cid.to_string(),
              {}};
  add_publishing(out, outcome);
  out.hops.push_back(
      {"publish done", "device 1", {}, since(published->start.steady, published->end)});
  const auto handed = receive(out, *published, directory_ / "mirror", deadline);
  if (!handed) return fail(handed.error());
  return out;
}

Result<Journey> Demo::found_by_bridge(Instant deadline) {
  const fs::path tree = directory_ / "quiet-tree";
  if (auto written = write_tree(tree); !written) return fail(written.error());
  const auto published = publish(*quiet_, *quiet_key_, tree);
  if (!published) return fail(published.error());
  const sync::Outcome& outcome = published->outcome;
  Journey out{
      "Somebody publishes without a hint: the bridge finds it (here it asks every 0.5 to 1 s)",
      outcome.name.to_string(),
      std::to_string(outcome.sequence.value),
      outcome.cid.to_string(),
      {}};
  add_publishing(out, outcome);
  const Instant start = published->start.steady;
  const auto announced = news_->announced.pop_until(deadline);
  if (!announced) return fail(Errc::timeout, "the bridge did not find the change in time");
  out.hops.push_back(
      {"found and committed to announce", "bridge", {}, since(start, announced->at)});
  for (size_t i = 0; i < announced->announcement.events.size(); ++i) {
    const auto told = news_->acknowledged.pop_until(deadline);
    if (!told) return fail(Errc::timeout, "the relay did not answer the bridge in time");
    for (const auto& [relay, what] : told->report.relays) {
      out.hops.push_back({"hint acknowledged by the relay",
                          relay.text() + "  " + std::string(nostr::to_string(what.state)),
                          what.took, since(start, told->at)});
    }
  }
  const auto handed = receive(out, *published, directory_ / "quiet-mirror", deadline);
  if (!handed) return fail(handed.error());
  return out;
}

Status Demo::compare() const {
  if (auto same = compare_trees(directory_ / "tree", directory_ / "mirror"); !same) return same;
  return compare_trees(directory_ / "quiet-tree", directory_ / "quiet-mirror");
}

}  // namespace ipnscast::tools::demo
