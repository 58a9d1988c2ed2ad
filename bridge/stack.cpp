#include "ipnscast/bridge/stack.h"

#include "ipnscast/bridge/http/metrics_server.h"
#include "ipnscast/bridge/node/node_server.h"
#include "ipnscast/nostr/nip/local_signer.h"
#include "ipnscast/sync/keys/key_store.h"

namespace ipnscast::bridge {
namespace {

constexpr char kKeyLabel[] = "bridge";

// The bridge's key of an earlier run, or a new one.
Result<std::shared_ptr<nostr::Signer>> own_signer(const std::filesystem::path& directory,
                                                  const PasswordSource& password) {
  const sync::KeyStore keys(directory / "keys", password);
  auto stored = keys.load(kKeyLabel);
  if (!stored) {
    if (stored.error().code != Errc::not_found) return fail(stored.error());
    stored = sync::StoredKey::generate(sync::StoredKeyType::nostr);
    if (auto added = keys.add(kKeyLabel, *stored); !added) return fail(added.error());
  }
  auto secret = stored->nostr_key();
  if (!secret) return fail(secret.error());
  return nostr::make_local_signer(std::move(*secret));
}

}  // namespace

// Ends in reverse order: the bridge first.
struct Stack::Impl {
  std::unique_ptr<nostr::net::Loop> loop;
  std::unique_ptr<nostr::server::RelayServer> relay;
  std::unique_ptr<Node> node;
  std::unique_ptr<Bridge> bridge;
  nostr::PublicKey bridge_key;
  std::unique_ptr<MetricsServer> metrics;
};

Result<std::unique_ptr<Stack>> Stack::start(StackOptions options) {
  auto impl = std::make_unique<Impl>();
  auto loop = nostr::net::Loop::start();
  if (!loop) return fail(loop.error());
  impl->loop = std::move(*loop);

  BridgeOptions bridge_options = std::move(options.bridge);
  bridge_options.state_dir = options.directory / "bridge";
  if (!bridge_options.signer) {
    auto signer = own_signer(bridge_options.state_dir, options.password);
    if (!signer) return fail(signer.error().within("bridge"));
    bridge_options.signer = std::move(*signer);
  }
  impl->bridge_key = bridge_options.signer->public_key();

  nostr::server::RelayServerOptions relay_options = std::move(options.relay);
  if (!relay_options.relay.writers.empty()) relay_options.relay.writers.insert(impl->bridge_key);
  relay_options.port = options.relay_port;
  relay_options.directory = options.directory / "relay";
  auto relay = nostr::server::RelayServer::start(*impl->loop, std::move(relay_options));
  if (!relay) return fail(relay.error().within("relay"));
  impl->relay = std::move(*relay);

  NodeOptions node_options = std::move(options.node);
  node_options.gateway_port = options.gateway_port;
  node_options.rpc_port = options.rpc_port;
  node_options.directory = options.directory / "node";
  auto node = Node::start(*impl->loop, std::move(node_options));
  if (!node) return fail(node.error().within("node"));
  impl->node = std::move(*node);

  if (!bridge_options.names.empty()) {
    const auto url = nostr::RelayUrl::parse(impl->relay->url());
    if (!url) return fail(url.error());
    // Its own relay, whatever the configuration says of others.
    bridge_options.relays = {*url};
    bridge_options.access.proxy.reset();
    bridge_options.quorum = {};
    bridge_options.gateways = {{impl->node->gateway_url(), 1, {}}};
    bridge_options.pubsub = false;  // which that node has not
    bridge_options.loop = impl->loop.get();
    auto bridge = Bridge::open(std::move(bridge_options));
    if (!bridge) return fail(bridge.error().within("bridge"));
    impl->bridge = std::move(*bridge);
  }
  if (options.metrics_address.empty()) return std::unique_ptr<Stack>(new Stack(std::move(impl)));
  auto metrics = MetricsServer::start(
      *impl->loop, {.address = options.metrics_address, .port = options.metrics_port},
      [impl = impl.get()] { return impl->bridge ? impl->bridge->telemetry() : Telemetry{}; });
  if (!metrics) return fail(metrics.error().within("metrics"));
  impl->metrics = std::move(*metrics);
  return std::unique_ptr<Stack>(new Stack(std::move(impl)));
}

Stack::Stack(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Stack::~Stack() = default;

std::string Stack::relay_url() const { return impl_->relay->url(); }
std::string Stack::gateway_url() const { return impl_->node->gateway_url(); }
std::string Stack::metrics_url() const {
  return impl_->metrics ? impl_->metrics->url() : std::string();
}
std::string Stack::rpc_url() const { return impl_->node->rpc_url(); }
const Bridge* Stack::bridge() const { return impl_->bridge.get(); }
const nostr::PublicKey& Stack::bridge_key() const { return impl_->bridge_key; }

}  // namespace ipnscast::bridge
