#include "bridge/node/gateway_format.h"

#include <string_view>

namespace ipnscast::bridge {
namespace {

using nostr::net::query_value;

struct Format {
  std::string_view name;
  std::string_view type;
  GatewayFormat format;
};
constexpr Format kFormats[] = {
    {"raw", "application/vnd.ipld.raw", GatewayFormat::raw},
    {"car", "application/vnd.ipld.car", GatewayFormat::car},
    {"ipns-record", "application/vnd.ipfs.ipns-record", GatewayFormat::record}};

}  // namespace

std::optional<GatewayFormat> requested_format(const HttpRequest& request) {
  if (const auto wanted = query_value(request, "format")) {
    for (const Format& known : kFormats) {
      if (*wanted == known.name) return known.format;
    }
    return std::nullopt;
  }
  const std::string_view accept = header_of(request, "accept");
  std::optional<GatewayFormat> out;
  size_t first = accept.npos;
  for (const Format& known : kFormats) {
    const size_t at = accept.find(known.type);
    if (at >= first) continue;
    first = at;
    out = known.format;
  }
  return out;
}

std::optional<DagScope> requested_scope(const HttpRequest& request) {
  const auto wanted = query_value(request, "dag-scope");
  if (!wanted || *wanted == "all") return DagScope::all;
  if (*wanted == "entity") return DagScope::entity;
  if (*wanted == "block") return DagScope::block;
  return std::nullopt;
}

bool can_make_requested_car(const HttpRequest& request) {
  const auto version = query_value(request, "car-version");
  const auto order = query_value(request, "car-order");
  return (!version || *version == "1") && (!order || *order == "dfs" || *order == "unk");
}

}  // namespace ipnscast::bridge
