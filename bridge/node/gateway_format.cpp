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

std::optional<sync::DagScope> requested_scope(const HttpRequest& request) {
  sync::DagScope out;
  if (const auto wanted = query_value(request, "entity-bytes")) {
    const auto bytes = sync::ByteRange::parse(*wanted);
    if (!bytes) return std::nullopt;
    out.bytes = *bytes;
    out.part = sync::DagPart::entity;  // as long as no other part is asked for
  }
  const auto wanted = query_value(request, "dag-scope");
  if (!wanted) return out;
  if (*wanted == "all") {
    out.part = sync::DagPart::all;
  } else if (*wanted == "entity") {
    out.part = sync::DagPart::entity;
  } else if (*wanted == "block") {
    out.part = sync::DagPart::block;
  } else {
    return std::nullopt;
  }
  return out;
}

bool can_make_requested_car(const HttpRequest& request) {
  const auto version = query_value(request, "car-version");
  const auto order = query_value(request, "car-order");
  return (!version || *version == "1") && (!order || *order == "dfs" || *order == "unk");
}

}  // namespace ipnscast::bridge
