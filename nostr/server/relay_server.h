#pragma once

#include <filesystem>
#include <memory>

#include "ipnscast/nostr/event/relay_url.h"
#include "ipnscast/nostr/net/loop.h"
#include "ipnscast/nostr/server/relay_counters.h"
#include "ipnscast/nostr/server/relay_options.h"

namespace ipnscast::nostr::server {

struct RelayServerOptions {
  std::string address = "127.0.0.1";
  uint16_t port = 7777;             // 0 takes a free one
  std::filesystem::path directory;  // holds relay.db and a lock; empty: everything in memory
  // See RelayStore: a full store refuses new events, and takes updates and deletions.
  uint64_t max_store_bytes = uint64_t{1} << 30;
  size_t max_connections = 1000;
  size_t max_connections_per_address = 0;  // 0: no limit of its own
  // Answers and live events that all connections have not taken yet; one may have 32 MiB of it. See
  // net::ServerOptions::max_unsent_total.
  size_t max_waiting_bytes = 256 * 1024 * 1024;
  std::vector<RelayUrl> urls;  // what a proxy in front is called, for NIP-42; see OwnAddress
  RelayOptions relay;          // is_own_url is filled in
};

// Start here. The embedded relay: a WebSocketServer on the loop's net thread, and the thread
// "relay", which owns the RelayCore and the RelayStore. Thread-safe. The loop outlives it.
class RelayServer {
 public:
  // Errc::conflict when another process has the directory; Errc::io when the address is taken or
  // the file fails; Errc::unsupported for a newer file.
  static Result<std::unique_ptr<RelayServer>> start(net::Loop& loop, RelayServerOptions options);
  // Commits what was accepted, then closes all connections.
  ~RelayServer();

  uint16_t port() const;
  // ws://<address>:<port>
  std::string url() const;
  RelayCounters counters() const;

 private:
  struct Impl;
  explicit RelayServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ipnscast::nostr::server
