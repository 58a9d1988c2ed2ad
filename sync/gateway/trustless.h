#pragma once

#include <optional>
#include <string>

#include "ipnscast/sync/gateway/endpoint.h"
#include "ipnscast/sync/ipfs/ipld/block_source.h"
#include "ipnscast/sync/ipfs/ipns/ipns_name.h"
#include "ipnscast/sync/ipfs/unixfs/dag_scope.h"

namespace ipnscast::sync::gateway {

// The trustless gateway protocol: requests, and what their answers say. Nothing here verifies
// content; that is done by whoever knows the CID or the name. Each request says what it wants both
// in the query and in Accept, because some caches look at the URL only.

// GET /ipfs/{cid}?format=raw
HttpCall raw_block_call(const Endpoint& endpoint, const Cid& cid);
// The block, whatever a header calls it. Errors of check_status(); Errc::mismatch when other bytes
// came that a header calls something else; otherwise those of check_block().
Result<Bytes> read_raw_block(const Cid& cid, HttpAnswer answer);

// What the head alone says of such an answer. It proves nothing: bytes that verify count whatever
// it says, and for those that do not it tells who lied from who does not speak this. Errors of
// check_status(); Errc::mismatch for another media type.
Status check_raw_head(const HttpHead& head);

// GET /ipfs/{cid}[/path]?format=car, every block once, in depth-first order, those along the path
// first.
HttpCall car_call(const Endpoint& endpoint, const Cid& cid, const DagScope& scope,
                  uint64_t max_bytes);
Status check_car_head(const HttpHead& head);

// A record as some source gave it, not verified. Nothing in `record` with `not_modified`: what we
// have is still current.
struct RecordAnswer {
  Bytes record;
  std::string etag;  // as sent, quoted or not; empty without one
  bool not_modified = false;
};

// GET /ipns/{name}?format=ipns-record. `etag` of an earlier answer makes it conditional.
HttpCall ipns_record_call(const Endpoint& endpoint, const IpnsName& name,
                          const std::string& etag = {});
// Of this protocol and of delegated routing, which answers "no record" with 404 or with 200 and
// another media type (IPIP-513): Errc::not_found, unless a record came under that type. Other
// errors as in check_status().
Result<RecordAnswer> read_ipns_record(HttpAnswer answer);

// GET /ipfs/bafkqaaa?format=raw, the empty block, and whether the answer is that of a trustless
// gateway.
HttpCall trustless_probe_call(const Endpoint& endpoint);
Speaks read_trustless_probe(const HttpAnswer& answer);

}  // namespace ipnscast::sync::gateway
