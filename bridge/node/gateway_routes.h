#pragma once

#include "bridge/node/block_store.h"
#include "bridge/node/node_answer.h"
#include "bridge/node/record_store.h"

namespace ipnscast::bridge {

// What a path like /ipfs/<root>/a/b means.
struct GatewayTarget {
  sync::Cid root;
  std::string path;  // "/a/b", or empty
  sync::Cid end;     // where the path leads
};

// The trustless gateway over what the node holds: blocks (format=raw), DAGs (format=car) and
// records (format=ipns-record). It gives nothing that the client could not verify, and fetches
// nothing. Trustless gateway spec. Thread-safe.
class GatewayRoutes {
 public:
  // The stores outlive this.
  GatewayRoutes(BlockStore& blocks, RecordStore& records) : blocks_(blocks), records_(records) {}

  NodeAnswer answer(const HttpRequest& request, UnixMillis now);

 private:
  NodeAnswer content(const HttpRequest& request, std::string_view path);
  HttpResponse raw(const HttpRequest& request, const GatewayTarget& target);
  NodeAnswer car(const HttpRequest& request, const GatewayTarget& target);
  HttpResponse record(const HttpRequest& request, std::string_view name, UnixMillis now);
  HttpResponse missing(const HttpRequest& request, std::string_view what) const;

  BlockStore& blocks_;
  RecordStore& records_;
};

}  // namespace ipnscast::bridge
