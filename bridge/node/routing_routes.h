#pragma once

#include "ipnscast/bridge/node/node_answer.h"
#include "ipnscast/bridge/node/store/record_store.h"

namespace ipnscast::bridge {

// Delegated routing (http-routing-v1): GET and PUT /routing/v1/ipns/{name}. 404 is "no record".
// A PUT may demand what it replaces (If-Match: its ETag, If-None-Match: *) and gets 412 with the
// record that is there otherwise; 409 with it when a record of the same sequence has another value.
// Thread-safe.
class RoutingRoutes {
 public:
  // The store outlives this.
  explicit RoutingRoutes(RecordStore& records) : records_(records) {}

  // For paths that start with "/routing/v1/".
  HttpResponse answer(const HttpRequest& request, UnixMillis now);

 private:
  HttpResponse route(const HttpRequest& request, UnixMillis now);
  HttpResponse get(const HttpRequest& request, const sync::IpnsName& name, UnixMillis now);
  HttpResponse put(const HttpRequest& request, const sync::IpnsName& name, UnixMillis now);

  RecordStore& records_;
};

}  // namespace ipnscast::bridge
