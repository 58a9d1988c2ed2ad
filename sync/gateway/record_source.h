#pragma once

#include <string_view>

#include "ipnscast/sync/gateway/trustless.h"

namespace ipnscast::sync::gateway {

// The ways to ask a gateway, router or node for a signed record. rpc_routing is what older nodes
// know instead of rpc_name.
enum class RecordDialect { trustless, routing, rpc_name, rpc_routing };
std::string_view to_string(RecordDialect dialect);

// `etag` makes it conditional where the dialect knows that.
HttpCall record_call(RecordDialect dialect, const Endpoint& endpoint, const IpnsName& name,
                     const std::string& etag = {});
// Not verified. Errc::not_found, Errc::unsupported (ask with another dialect), and what
// check_status() says.
Result<RecordAnswer> read_record(RecordDialect dialect, HttpAnswer answer);

}  // namespace ipnscast::sync::gateway
