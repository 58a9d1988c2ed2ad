#include "ipnscast/bridge/node/node_server.h"

#include <algorithm>

#include "ipnscast/bridge/node/gateway_headers.h"
#include "ipnscast/bridge/node/gateway_routes.h"
#include "ipnscast/bridge/node/node_pool.h"
#include "ipnscast/bridge/node/routing_routes.h"
#include "ipnscast/bridge/node/rpc_routes.h"
#include "ipnscast/nostr/base/store/file_lock.h"

namespace ipnscast::bridge {
namespace {

using nostr::net::WebSocketServer;

// Records are small; content comes in through the RPC port.
constexpr size_t kMaxGatewayBody = 64 * 1024;
constexpr uint64_t kMaxNames = 1'000'000;

constexpr char kLoopback[] = "127.0.0.1";

// How this machine reaches what listens there.
std::string url_of(std::string address, uint16_t port) {
  if (address == "0.0.0.0") address = kLoopback;
  if (address == "::") address = "::1";
  const bool v6 = address.find(':') != std::string::npos;
  return "http://" + (v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

}  // namespace

struct Node::Impl {
  explicit Impl(NodeOptions wanted) : options(std::move(wanted)) {}

  // Top-down: nothing new is begun, long work ends, then the sockets close.
  ~Impl() {
    if (pool) pool->close();
    if (blocks) blocks->stop();
    rpc.reset();
    gateway.reset();
    pool.reset();
  }

  Status start(nostr::net::Loop& loop) {
    if (Status opened = open_stores(); !opened) return opened;
    gateway_routes = std::make_unique<GatewayRoutes>(*blocks, *records);
    routing_routes = std::make_unique<RoutingRoutes>(*records);
    rpc_routes = std::make_unique<RpcRoutes>(*blocks, *records);
    pool = std::make_unique<NodePool>(options.threads);
    Headers page_headers;  // pages have to see that they are to come back
    add_common_headers(page_headers);
    auto gateway_socket = listen(
        loop, options.address, options.gateway_port, kMaxGatewayBody,
        [this](const auto& request) {
          const UnixMillis now = system_now().wall;
          if (request.path.starts_with("/routing/"))
            return NodeAnswer(routing_routes->answer(request, now));
          return gateway_routes->answer(request, now);
        },
        page_headers);
    if (!gateway_socket) return fail(gateway_socket.error());
    gateway = std::move(*gateway_socket);
    auto rpc_socket = listen(loop, kLoopback, options.rpc_port, options.max_import_bytes,
                             [this](const auto& request) {
                               return NodeAnswer(rpc_routes->answer(request, system_now().wall));
                             },
                             {});
    if (!rpc_socket) return fail(rpc_socket.error());
    rpc = std::move(*rpc_socket);
    return {};
  }

  Status open_stores() {
    const bool on_disk = !options.directory.empty();
    if (on_disk) {
      auto taken = store::FileLock::acquire(options.directory);
      if (!taken) return fail(taken.error());
      lock = std::make_unique<store::FileLock>(std::move(*taken));
    }
    const auto file = [&](const char* name) {
      return on_disk ? options.directory / name : std::filesystem::path(":memory:");
    };
    auto opened_blocks = BlockStore::open(file("blocks.db"), options.max_bytes);
    if (!opened_blocks) return fail(opened_blocks.error());
    blocks = std::move(*opened_blocks);
    auto opened_records = RecordStore::open(file("records.db"), kMaxNames, options.writers);
    if (!opened_records) return fail(opened_records.error());
    records = std::move(*opened_records);
    return {};
  }

  Result<std::unique_ptr<WebSocketServer>> listen(nostr::net::Loop& loop,
                                                  const std::string& address, uint16_t port,
                                                  size_t max_body, NodePool::Answer answer,
                                                  Headers refusal_headers) {
    nostr::net::ServerOptions sockets;
    sockets.refusal_headers = refusal_headers;
    sockets.address = address;
    sockets.port = port;
    sockets.max_frame_bytes = 0;
    sockets.max_body_bytes = max_body;
    sockets.max_held_bodies_per_address = std::max(sockets.max_held_bodies_per_address, max_body);
    sockets.max_held_bodies = std::max(sockets.max_held_bodies, max_body + max_body / 2);
    sockets.max_connections = sockets.max_http_connections;
    nostr::net::ServerHandlers handlers;
    handlers.http = [this, answer = std::move(answer), busy = std::move(refusal_headers)](
                        HttpRequest request, NodePool::Reply reply) {
      pool->submit(std::move(request), std::move(reply), answer, busy);
    };
    return nostr::net::listen(loop, sockets, std::move(handlers));
  }

  // constant after start
  const NodeOptions options;
  std::unique_ptr<store::FileLock> lock;
  std::unique_ptr<BlockStore> blocks;
  std::unique_ptr<RecordStore> records;
  std::unique_ptr<GatewayRoutes> gateway_routes;
  std::unique_ptr<RoutingRoutes> routing_routes;
  std::unique_ptr<RpcRoutes> rpc_routes;
  std::unique_ptr<NodePool> pool;
  std::unique_ptr<WebSocketServer> gateway;
  std::unique_ptr<WebSocketServer> rpc;
};

Node::Node(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Node::~Node() = default;

Result<std::unique_ptr<Node>> Node::start(nostr::net::Loop& loop, NodeOptions options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  if (Status started = impl->start(loop); !started) return fail(started.error());
  return std::unique_ptr<Node>(new Node(std::move(impl)));
}

std::string Node::gateway_url() const {
  return url_of(impl_->options.address, impl_->gateway->port());
}
std::string Node::rpc_url() const { return url_of(kLoopback, impl_->rpc->port()); }

}  // namespace ipnscast::bridge
