#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ipnscast/bridge/node/node_answer.h"
#include "ipnscast/sync/ipfs/unixfs/dag_scope.h"

namespace ipnscast::bridge {

// What a gateway's client wants back.
enum class GatewayFormat { raw, car, record };

struct WantedAnswer {
  GatewayFormat format = GatewayFormat::raw;
  bool repeats_blocks = false;  // of a CAR: dups=y
  // The query that asks for the same without an Accept header, when the header had a say. Caches
  // need it: they tell answers apart by their URLs ("Content-Location").
  std::optional<std::string> canonical_query{};
};

std::string_view media_type_of(GatewayFormat format);

// What the URL asks for (`format`, `car-version`, `car-order`, `car-dups`), else what the Accept
// header does: the most wanted of what we give (IPIP-412, IPIP-523). Wildcards choose nothing, as
// there is no format that a gateway of this kind gives by itself. Errc::parse when the URL asks for
// what nobody knows, or nothing is asked for; Errc::unsupported for what we do not give.
Result<WantedAnswer> wanted_answer(const HttpRequest& request);

// `dag-scope`, by default all, and `entity-bytes`, without the path. Errc::parse.
Result<sync::DagScope> wanted_scope(const HttpRequest& request);

}  // namespace ipnscast::bridge
