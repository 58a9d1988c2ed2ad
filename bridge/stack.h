#pragma once

#include <memory>

#include "ipnscast/bridge/bridge.h"
#include "ipnscast/bridge/node/node_server.h"
#include "ipnscast/nostr/base/secret/secret_text.h"
#include "ipnscast/nostr/server/relay_server.h"

namespace ipnscast::bridge {

// Everything on one machine: relay, node and bridge in this process, on loopback unless told
// otherwise, with their files in one directory. Each is what it would be alone, and can be replaced
// by a real strfry or Kubo by changing a URL.
struct StackOptions {
  std::filesystem::path directory;  // relay/, node/ and bridge/ in it
  uint16_t relay_port = 7777;       // 0 takes a free one, here and below
  // Its port and directory are filled in; among its writers, if there are any, is the bridge's key.
  nostr::server::RelayServerOptions relay{};
  uint16_t gateway_port = 8081;
  uint16_t rpc_port = 5002;
  NodeOptions node{};                         // its ports and directory are filled in
  std::string metrics_address = "127.0.0.1";  // empty: none
  uint16_t metrics_port = 9464;
  // names, poll bounds and callbacks are used; without names there is no bridge. The rest is filled
  // in, also the key when there is none: the bridge then has one of its own in its directory.
  BridgeOptions bridge{};
  PasswordSource password{};  // of that key, when it was encrypted
};

// Thread-safe.
class Stack {
 public:
  // Errc::conflict when another process uses the directory; Errc::io when a port is taken or a file
  // fails.
  static Result<std::unique_ptr<Stack>> start(StackOptions options);
  // Bridge, node, relay: each commits what it accepted.
  ~Stack();

  std::string relay_url() const;    // ws://
  std::string gateway_url() const;  // http://, blocks, records and delegated routing
  std::string rpc_url() const;      // http://, the calls of Kubo's RPC
  std::string metrics_url() const;  // http://, see MetricsServer; empty: there is none
  const Bridge* bridge() const;     // null without names
  const nostr::PublicKey& bridge_key() const;

 private:
  struct Impl;
  explicit Stack(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ipnscast::bridge
