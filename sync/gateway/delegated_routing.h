#pragma once

#include <string>

#include "ipnscast/sync/gateway/trustless.h"

namespace ipnscast::sync::gateway {

// Delegated routing v1: records by name over HTTP.

// GET /routing/v1/ipns/{name}; the answer is read by read_ipns_record().
HttpCall routing_get_call(const Endpoint& endpoint, const IpnsName& name,
                          const std::string& etag = {});

// PUT /routing/v1/ipns/{name} with a signed record, and whether it was taken: errors of
// check_status().
HttpCall routing_put_call(const Endpoint& endpoint, const IpnsName& name, ByteView record);
Status read_routing_put(const HttpAnswer& answer);

// Asks for a name that is none, which a router refuses without searching for it, and whether a
// router answered.
HttpCall routing_probe_call(const Endpoint& endpoint);
Speaks read_routing_probe(const HttpAnswer& answer);

// The header and the word by which a node tells that it heeds preconditions (RFC 9110 section 13.1)
// when records are put: see sync/decider/conditional_put.h. It stands in each answer below
// /routing/v1/ and /api/v0/, OPTIONS among them. An answer without it came from something else, a
// proxy perhaps.
inline constexpr const char* kPreconditionHeader = "accept-precondition";
inline constexpr const char* kPreconditionToken = "ipns-record";
bool offers_preconditions(const HttpHead& head);

// The ETag of a record at such a node: the SHA-256 of its bytes as lower-case hex, in quotes.
std::string record_etag(ByteView record);

}  // namespace ipnscast::sync::gateway
