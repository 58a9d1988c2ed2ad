#pragma once

#include <thread>

#include "ipnscast/sync/gateway/http_client.h"
#include "ipnscast/sync/gateway/kubo_rpc.h"
#include "ipnscast/sync/ipfs/unixfs/packer.h"
#include "ipnscast/sync/resolve/record_extra.h"
#include "ipnscast/tests/integration/sync/client_world.h"
#include "ipnscast/tests/support/gateways/raw_http.h"

// Nodes that go and come back where they were, for what publishing owes them.
namespace ipnscast::test {

using namespace ipnscast::sync;

inline constexpr Seconds kPatience{20};

// Some nodes that can go and come back where they were.
struct Nodes : World {
  struct One {
    bridge::NodeOptions options;
    std::unique_ptr<bridge::Node> running;
  };
  std::vector<One> nodes;
  std::unique_ptr<gateway::HttpClient> http = std::move(*gateway::HttpClient::open());

  explicit Nodes(size_t count) {
    for (size_t i = 0; i < count; ++i) {
      One one;
      one.options.gateway_port = 0;
      one.options.rpc_port = 0;
      one.options.directory = dir.path() / ("node-" + std::to_string(i));
      nodes.push_back(std::move(one));
      start(i);
      nodes[i].options.gateway_port = port_of(nodes[i].running->gateway_url());
      nodes[i].options.rpc_port = port_of(rpc(i));
    }
  }
  void start(size_t i) { nodes[i].running = *bridge::Node::start(*loop, nodes[i].options); }
  void stop(size_t i) { nodes[i].running.reset(); }
  std::string rpc(size_t i) const {
    return "http://127.0.0.1:" + std::to_string(nodes[i].options.rpc_port != 0
                                                    ? nodes[i].options.rpc_port
                                                    : port_of(nodes[i].running->rpc_url()));
  }

  Config config(const std::string& device) const {
    Config out = World::config(device);
    out.gateways.clear();
    for (size_t i = 0; i < nodes.size(); ++i) out.gateways.push_back({rpc(i)});
    out.retry_min = Milliseconds(50);
    out.retry_max = Milliseconds(200);
    return out;
  }

  bool pinned(size_t i, const Cid& root) {
    const auto answer = http->fetch(gateway::kubo_pin_ls_call({rpc(i), {}}, root));
    if (!answer) return false;
    const auto kept = gateway::read_kubo_pin_ls(*answer);
    return kept && *kept;
  }
  std::optional<IpnsRecord> record(size_t i, const IpnsName& name) {
    const auto answer = http->fetch(gateway::kubo_name_get_call({rpc(i), {}}, name));
    if (!answer) return std::nullopt;
    const auto record = gateway::read_kubo_name_get(*answer);
    if (!record) return std::nullopt;
    const auto verified = verify_record(name, *record, system_now().wall);
    if (!verified) return std::nullopt;
    return *verified;
  }
  std::optional<Sequence> sequence(size_t i, const IpnsName& name) {
    const auto found = record(i, name);
    return found ? std::optional(found->fields().sequence) : std::nullopt;
  }
  // How long it is still valid.
  int64_t seconds_left(size_t i, const IpnsName& name) {
    const auto found = record(i, name);
    return found ? found->fields().eol.seconds - system_now().seconds().value : 0;
  }
  static bool eventually(const std::function<bool()>& reached) {
    const Instant end = std::chrono::steady_clock::now() + kPatience;
    while (!reached()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(Milliseconds(10));
    }
    return true;
  }
};

inline Cid pack_root(const std::filesystem::path& path) {
  struct Nowhere : BlockSink {
    Status put(const Cid&, ByteView) override { return {}; }
  } nowhere;
  return pack_path(path, {}, nowhere)->root;
}

inline const Outcome::Place* find_place(const Outcome& outcome, const std::string& url) {
  for (const auto& place : outcome.places) {
    if (place.url == url) return &place;
  }
  return nullptr;
}

}  // namespace ipnscast::test
