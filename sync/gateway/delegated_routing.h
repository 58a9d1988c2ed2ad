#pragma once

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

}  // namespace ipnscast::sync::gateway
