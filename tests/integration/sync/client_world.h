#pragma once

#include <fstream>

#include "ipnscast/bridge/node/node_server.h"
#include "ipnscast/nostr/base/inbox.h"
#include "ipnscast/nostr/nip/local_signer.h"
#include "ipnscast/nostr/server/relay_server.h"
#include "ipnscast/sync/client.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/temp_dir.h"

// Devices, a relay and a node in one process, over real sockets.
namespace ipnscast::test {

inline void write_file(const std::filesystem::path& file, const std::string& text) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
}

struct World {
  test::TempDir dir;
  std::unique_ptr<nostr::net::Loop> loop = *nostr::net::Loop::start();
  std::unique_ptr<nostr::server::RelayServer> relay;
  std::unique_ptr<bridge::Node> node;
  nostr::SecretKey nostr_key = nostr::SecretKey::generate();
  sync::IpnsKey key = *sync::IpnsKey::derive_ed25519(nostr_key.secret_view());

  World() {
    relay = *nostr::server::RelayServer::start(*loop, {.port = 0});
    node = *bridge::Node::start(*loop, {.gateway_port = 0, .rpc_port = 0});
  }

  sync::Config config(const std::string& device) const {
    sync::Config out;
    out.state_dir = dir.path() / device;
    out.relays = {*nostr::RelayUrl::parse(relay->url())};
    out.gateways = {{node->gateway_url()}, {node->rpc_url()}};
    out.trusted_authors = {nostr_key.public_key()};
    out.announce_device = false;
    out.signer = nostr::make_local_signer(nostr_key.clone());
    return out;
  }
  std::filesystem::path tree(const std::string& text) const {
    const auto path = dir.path() / ("tree-" + text);
    write_file(path / "file.txt", text);
    write_file(path / "sub" / "other.txt", text + " too");
    return path;
  }
};

// A handler that hands its changes to the test.
struct Changes {
  Inbox<sync::Change> inbox{1000};
  sync::WatchOptions options() {
    sync::WatchOptions out;
    out.on_change = [this](const sync::Change& change) {
      inbox.push_reserved(change);
      return Status{};
    };
    return out;
  }
  std::optional<sync::Change> next(Milliseconds wait = Milliseconds(200'000)) {
    return inbox.pop_until(std::chrono::steady_clock::now() + wait);
  }
  // The next one of this kind; others are passed over.
  std::optional<sync::Change> next(sync::ChangeKind kind) {
    const Instant deadline = std::chrono::steady_clock::now() + Milliseconds(200'000);
    while (auto change = inbox.pop_until(deadline)) {
      if (change->kind == kind) return change;
    }
    return std::nullopt;
  }
};

}  // namespace ipnscast::test
