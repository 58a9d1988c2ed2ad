#pragma once

#include <optional>

#include "bridge/node/node_answer.h"
#include "sync/ipfs/dag_scope.h"

namespace ipnscast::bridge {

// What a gateway's client wants back.
enum class GatewayFormat { raw, car, record };

// The `format` parameter, which wins (IPIP-523), or the first type of the Accept header that we
// give. Nothing when the client names none of ours.
std::optional<GatewayFormat> requested_format(const HttpRequest& request);

// `dag-scope`, by default all, and `entity-bytes`, without the path; nothing when they make no
// sense.
std::optional<sync::DagScope> requested_scope(const HttpRequest& request);

// False when `car-version` or `car-order` ask for what we do not make. `car-dups` is left to us:
// the answer states n.
bool can_make_requested_car(const HttpRequest& request);

}  // namespace ipnscast::bridge
