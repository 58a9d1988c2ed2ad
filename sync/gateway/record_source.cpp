#include "ipnscast/sync/gateway/record_source.h"

#include "ipnscast/sync/gateway/delegated_routing.h"
#include "ipnscast/sync/gateway/kubo_rpc.h"

namespace ipnscast::sync::gateway {

std::string_view to_string(RecordDialect dialect) {
  switch (dialect) {
    case RecordDialect::trustless:
      return "trustless";
    case RecordDialect::routing:
      return "routing";
    case RecordDialect::rpc_name:
      return "name/get";
    case RecordDialect::rpc_routing:
      return "routing/get";
  }
  return "";
}

HttpCall record_call(RecordDialect dialect, const Endpoint& endpoint, const IpnsName& name,
                     const std::string& etag) {
  switch (dialect) {
    case RecordDialect::trustless:
      return ipns_record_call(endpoint, name, etag);
    case RecordDialect::routing:
      return routing_get_call(endpoint, name, etag);
    case RecordDialect::rpc_name:
      return kubo_name_get_call(endpoint, name);
    case RecordDialect::rpc_routing:
      break;
  }
  return kubo_routing_get_call(endpoint, name);
}

Result<RecordAnswer> read_record(RecordDialect dialect, HttpAnswer answer) {
  if (dialect == RecordDialect::trustless || dialect == RecordDialect::routing) {
    return read_ipns_record(std::move(answer));
  }
  auto record = dialect == RecordDialect::rpc_name ? read_kubo_name_get(std::move(answer))
                                                   : read_kubo_routing_get(answer);
  if (!record) return fail(record.error());
  return RecordAnswer{std::move(*record), {}, false};
}

}  // namespace ipnscast::sync::gateway
