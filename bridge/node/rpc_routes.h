#pragma once

#include <functional>

#include "ipnscast/bridge/node/node_answer.h"
#include "ipnscast/bridge/node/store/block_store.h"
#include "ipnscast/bridge/node/store/record_store.h"

namespace ipnscast::bridge {

// The few calls of Kubo's RPC that a publisher and a resolver need, with Kubo's JSON: version,
// block/get, block/stat, dag/import, routing/get, routing/put, name/get, name/put, name/resolve,
// pin/add, pin/ls of one root, pin/rm. POST only; requests of web pages (with an Origin) are
// refused, as this interface can change what the node holds. Beyond Kubo: name/put and routing/put
// heed If-Match and If-None-Match, and gets give an ETag for them. Thread-safe.
class RpcRoutes {
 public:
  // The stores outlive this.
  RpcRoutes(BlockStore& blocks, RecordStore& records) : blocks_(blocks), records_(records) {}

  // For paths that start with "/api/v0/".
  HttpResponse answer(const HttpRequest& request, UnixMillis now);

 private:
  HttpResponse route(const HttpRequest& request, UnixMillis now);
  HttpResponse version() const;
  HttpResponse block_get(const HttpRequest& request);
  HttpResponse block_stat(const HttpRequest& request);
  HttpResponse dag_import(const HttpRequest& request);
  HttpResponse pin_add(const HttpRequest& request);
  HttpResponse pin_ls(const HttpRequest& request);
  HttpResponse pin_rm(const HttpRequest& request);
  HttpResponse routing_get(const HttpRequest& request, UnixMillis now);
  HttpResponse routing_put(const HttpRequest& request, UnixMillis now);
  HttpResponse name_get(const HttpRequest& request, UnixMillis now);
  HttpResponse name_put(const HttpRequest& request, UnixMillis now);
  HttpResponse name_resolve(const HttpRequest& request, UnixMillis now);

  // The command's own words, when the record is there.
  using PutDone = std::function<HttpResponse(const sync::IpnsName&, ByteView record)>;
  HttpResponse put_record(const HttpRequest& request, UnixMillis now, const PutDone& done);
  Result<sync::IpnsRecord> known_record(const HttpRequest& request, UnixMillis now);

  BlockStore& blocks_;
  RecordStore& records_;
};

}  // namespace ipnscast::bridge
