#pragma once

#include <string>
#include <vector>

#include "ipnscast/bridge/node/gateway_headers.h"
#include "ipnscast/bridge/node/node_answer.h"
#include "ipnscast/bridge/node/store/block_store.h"
#include "ipnscast/bridge/node/store/record_store.h"

namespace ipnscast::bridge {

// What a path like /ipfs/<root>/a/b means.
struct GatewayTarget {
  std::string path;              // "/a/b", or empty
  std::vector<sync::Cid> roots;  // the root, what each step of the path leads to; at least one

  const sync::Cid& root() const { return roots.front(); }
  const sync::Cid& end() const { return roots.back(); }
};

// The trustless gateway over what the node holds: blocks (format=raw), DAGs (format=car) and
// records (format=ipns-record). It gives nothing that the client could not verify, and fetches
// nothing. Trustless gateway spec. Thread-safe.
//
// Where the spec leaves a choice, or Kubo's gateway strays from it:
// - what is missing is 404, also when a CAR was asked for, as all that is known at once;
// - a range of entity-bytes beyond the file gives the root, which proves it, and no 400;
// - entity-bytes alone implies dag-scope=entity;
// - raw blocks are given behind paths too;
// - a 206 has the tag of the whole block, as If-Range needs it (RFC 9110);
// - HEAD ignores Range, and a Range that makes no sense is ignored (RFC 9110);
// - weights in Accept count, and "*/*" alone chooses no format (406).
class GatewayRoutes {
 public:
  // The stores outlive this.
  GatewayRoutes(BlockStore& blocks, RecordStore& records) : blocks_(blocks), records_(records) {}

  NodeAnswer answer(const HttpRequest& request, UnixMillis now);

 private:
  NodeAnswer route(const HttpRequest& request, UnixMillis now);
  NodeAnswer content(const HttpRequest& request, const WantedAnswer& wanted, std::string_view path);
  HttpResponse raw(const HttpRequest& request, const WantedAnswer& wanted,
                   const GatewayTarget& target);
  NodeAnswer car(const HttpRequest& request, const WantedAnswer& wanted,
                 const GatewayTarget& target);
  HttpResponse record(const HttpRequest& request, const WantedAnswer& wanted, std::string_view name,
                      UnixMillis now);
  HttpResponse missing(const HttpRequest& request, std::string_view what) const;
  HttpResponse no_such_path(const HttpRequest& request, const GatewayTarget& target,
                            const Error& error) const;

  BlockStore& blocks_;
  RecordStore& records_;
};

}  // namespace ipnscast::bridge
