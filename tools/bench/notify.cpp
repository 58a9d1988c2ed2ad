#include "ipnscast/tools/bench/notify.h"

#include <fstream>
#include <thread>

#include "ipnscast/bridge/node/node_server.h"
#include "ipnscast/nostr/base/file/temporary_directory.h"
#include "ipnscast/nostr/base/inbox.h"
#include "ipnscast/nostr/base/random.h"
#include "ipnscast/nostr/nip/local_signer.h"
#include "ipnscast/nostr/pool/pool.h"
#include "ipnscast/nostr/server/relay_server.h"
#include "ipnscast/sync/client.h"

namespace ipnscast::tools {
namespace {

using std::chrono::microseconds;
using std::chrono::steady_clock;

constexpr Milliseconds kArrivesBy{20'000};
constexpr Milliseconds kSettle{300};  // for the reader's subscription to reach the relay

// What the reader got, and when.
struct Arrival {
  std::optional<sync::Change> change;  // nothing: of the bare path
  steady_clock::time_point at;
};

microseconds between(steady_clock::time_point from, steady_clock::time_point to) {
  return std::chrono::duration_cast<microseconds>(to - from);
}

// Relay, node and two devices of one person.
class Bench {
 public:
  explicit Bench(NotifyPath path) : path_(path) {}
  Status open(size_t samples);
  Result<NotifySample> sample(size_t number);

 private:
  Status open_servers();
  Status open_devices(size_t samples);
  void open_pools();
  Result<std::unique_ptr<sync::Client>> device(const char* name) const;
  // Returns when the publishing call does.
  Status send(size_t number);
  Status send_bare(size_t number);
  Status send_record(const sync::IpnsKey& key);

  const NotifyPath path_;
  nostr::SecretKey secret_ = nostr::SecretKey::generate();
  std::optional<TemporaryDirectory> folder_;
  std::unique_ptr<nostr::net::Loop> loop_;
  std::unique_ptr<nostr::server::RelayServer> relay_;
  std::unique_ptr<bridge::Node> node_;
  std::unique_ptr<nostr::net::Loop> client_loop_;  // of the bare path: not the relay's thread
  Inbox<Arrival> arrivals_{1000};
  std::unique_ptr<nostr::Pool> from_;
  std::unique_ptr<nostr::Pool> to_;
  std::vector<sync::IpnsKey> names_;
  std::unique_ptr<sync::Client> publisher_;
  std::unique_ptr<sync::Client> reader_;
};

Result<std::unique_ptr<sync::Client>> Bench::device(const char* name) const {
  sync::Config config;
  config.state_dir = folder_->path() / name;
  config.relays = {*nostr::RelayUrl::parse(relay_->url())};
  config.gateways = {{node_->gateway_url()}, {node_->rpc_url()}};
  config.signer = nostr::make_local_signer(secret_.clone());
  config.trusted_authors = {secret_.public_key()};
  return sync::Client::open(std::move(config));
}

Status Bench::open(size_t samples) {
  auto folder = TemporaryDirectory::make();
  if (!folder) return fail(folder.error());
  folder_.emplace(std::move(*folder));
  if (const Status opened = open_servers(); !opened) return opened;
  if (path_ == NotifyPath::bare) {
    open_pools();
  } else if (const Status opened = open_devices(samples); !opened) {
    return opened;
  }
  std::this_thread::sleep_for(kSettle);
  return {};
}

Status Bench::open_servers() {
  auto loop = nostr::net::Loop::start();
  if (!loop) return fail(loop.error());
  loop_ = std::move(*loop);
  auto client_loop = nostr::net::Loop::start();
  if (!client_loop) return fail(client_loop.error());
  client_loop_ = std::move(*client_loop);
  nostr::server::RelayServerOptions relay;
  relay.port = 0;
  relay.directory = folder_->path() / "relay";
  auto relay_server = nostr::server::RelayServer::start(*loop_, std::move(relay));
  if (!relay_server) return fail(relay_server.error());
  relay_ = std::move(*relay_server);
  bridge::NodeOptions node;
  node.gateway_port = 0;
  node.rpc_port = 0;
  node.directory = folder_->path() / "node";
  auto node_server = bridge::Node::start(*loop_, std::move(node));
  if (!node_server) return fail(node_server.error());
  node_ = std::move(*node_server);
  return {};
}

void Bench::open_pools() {
  nostr::PoolOptions options;
  options.relays = {*nostr::RelayUrl::parse(relay_->url())};
  from_ = nostr::Pool::start(*client_loop_, options);
  to_ = nostr::Pool::start(*client_loop_, options);
  nostr::Filter filter;
  filter.authors = {secret_.public_key()};
  to_->subscribe({filter}, [this](nostr::PoolMessage& message) {
    if (std::holds_alternative<nostr::PoolEvent>(message))
      arrivals_.push_reserved({std::nullopt, steady_clock::now()});
    return true;
  });
}

Status Bench::open_devices(size_t samples) {
  auto publisher = device("publisher");
  if (!publisher) return fail(publisher.error());
  publisher_ = std::move(*publisher);
  auto reader = device("reader");
  if (!reader) return fail(reader.error());
  reader_ = std::move(*reader);
  for (size_t i = 0; i < samples; ++i) {
    auto key = sync::IpnsKey::from_bytes(sync::KeyType::ed25519, random_bytes(32));
    if (!key) return fail(key.error());
    sync::WatchOptions watch;
    watch.fetch_content = path_ == NotifyPath::content;
    watch.on_change = [this](const sync::Change& change) {
      arrivals_.push_reserved({change, steady_clock::now()});
      return Status{};
    };
    if (const Status watched = reader_->watch(key->name(), std::move(watch)); !watched)
      return watched;
    names_.push_back(std::move(*key));
  }
  return {};
}

Status Bench::send_bare(size_t number) {
  nostr::UnsignedEvent event;
  event.kind = 1;
  event.created_at = system_now().seconds();
  event.content = std::to_string(number);
  from_->publish(nostr::sign_event(secret_, event), {}, [](const nostr::PublishReport&) {});
  return {};
}

Status Bench::send_record(const sync::IpnsKey& key) {
  const sync::Cid cid = *sync::Cid::parse("bafkqaaa");
  sync::RecordOptions wanted;
  wanted.value = "/ipfs/" + cid.to_string();
  wanted.sequence = {1};
  wanted.eol = sync::Eol::after(system_now().wall, std::chrono::hours(48));
  const auto made = sync::create_record(key, wanted);
  if (!made) return fail(made.error());
  const auto outcome = publisher_->announce(key.name(), cid, wanted.sequence, *made);
  return outcome ? Status{} : fail(outcome.error());
}

Status Bench::send(size_t number) {
  if (path_ == NotifyPath::bare) return send_bare(number);
  if (path_ == NotifyPath::record) return send_record(names_[number]);
  const auto outcome = publisher_->publish(names_[number], folder_->path() / "content");
  return outcome ? Status{} : fail(outcome.error());
}

Result<NotifySample> Bench::sample(size_t number) {
  std::ofstream(folder_->path() / "content") << "version " << number << "\n";
  const auto start = steady_clock::now();
  const Status sent = send(number);
  if (!sent) return fail(sent.error());
  NotifySample out;
  out.call = between(start, steady_clock::now());
  while (const auto arrival = arrivals_.pop_until(start + kArrivesBy)) {
    if (arrival->change && arrival->change->name != names_[number].name()) continue;
    out.handled = between(start, arrival->at);
    if (!arrival->change) return out;
    out.confirmed = arrival->change->timing.confirmed;
    out.fetched = arrival->change->timing.fetched;
    return out;
  }
  return fail(Errc::timeout, "sample " + std::to_string(number) + ": nothing arrived");
}

}  // namespace

std::string_view to_string(NotifyPath path) {
  switch (path) {
    case NotifyPath::bare:
      return "bare";
    case NotifyPath::record:
      return "record";
    case NotifyPath::content:
      return "content";
  }
  return "bare";
}

Result<std::vector<NotifySample>> bench_notify(NotifyPath path, size_t samples) {
  Bench bench(path);
  if (const Status opened = bench.open(samples); !opened) return fail(opened.error());
  std::vector<NotifySample> out;
  for (size_t i = 0; i < samples; ++i) {
    const auto sample = bench.sample(i);
    if (!sample) return fail(sample.error());
    out.push_back(*sample);
  }
  return out;
}

}  // namespace ipnscast::tools
