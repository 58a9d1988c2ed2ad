#pragma once

#include <filesystem>
#include <memory>
#include <set>
#include <string>

#include "ipnscast/nostr/base/result.h"
#include "ipnscast/nostr/net/loop.h"
#include "ipnscast/sync/ipfs/ipns/ipns_name.h"

namespace ipnscast::bridge {

struct NodeOptions {
  std::string address = "127.0.0.1";  // of the gateway; the RPC is for this machine only
  uint16_t gateway_port = 8081;       // 0 takes a free one
  uint16_t rpc_port = 5002;           // 0 takes a free one
  std::filesystem::path directory;    // holds blocks.db, records.db and a lock; empty: in memory
  uint64_t max_bytes = uint64_t{10} << 30;  // of all blocks together
  // Whose records are taken, on both ports; all others are answered with 403. Empty: any name's, as
  // each record proves itself. Blocks have no owner: whoever reaches the RPC may bring them.
  std::set<sync::IpnsName> writers;
  // One dag/import. It is held in memory, as are those of others: net::ServerOptions says how many.
  size_t max_import_bytes = size_t{64} << 20;
  size_t threads = 4;  // that answer; a client that does not read holds none
};

// Start here. The embedded node: keeps blocks and records, and serves them as a trustless gateway
// with delegated routing on one port and as the few calls of Kubo's RPC on another. It fetches
// nothing: what it does not hold is not found. The sockets live on the loop's net thread; the
// threads "node-1" and so on answer. The loop outlives it. Thread-safe.
class Node {
 public:
  // Errc::conflict when another process has the directory; Errc::io when a port is taken or a file
  // fails; Errc::unsupported for newer files.
  static Result<std::unique_ptr<Node>> start(nostr::net::Loop& loop, NodeOptions options);
  // Closes the ports, finishes what was begun and does not take long, cuts what streams.
  ~Node();

  // http://<address>:<port>
  std::string gateway_url() const;
  std::string rpc_url() const;

 private:
  struct Impl;
  explicit Node(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ipnscast::bridge
