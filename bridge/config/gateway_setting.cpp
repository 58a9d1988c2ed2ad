#include "ipnscast/bridge/config/gateway_setting.h"

namespace ipnscast::bridge {
namespace {

Result<sync::gateway::Uses> uses_of(const GatewaySetting& setting) {
  if (setting.only.empty()) return sync::gateway::Uses{};
  sync::gateway::Uses out{false, false, false};
  for (const std::string& word : setting.only) {
    if (word == "blocks")
      out.blocks = true;
    else if (word == "records")
      out.records = true;
    else if (word == "publish")
      out.publish = true;
    else
      return fail(Errc::invalid, "only: \"" + word + "\": want blocks, records or publish");
  }
  return out;
}

}  // namespace

Result<sync::Gateway> to_gateway(const GatewaySetting& setting, int tier) {
  auto endpoint = sync::gateway::parse_endpoint(setting.url, setting.auth);
  if (!endpoint) return fail(endpoint.error());
  const auto uses = uses_of(setting);
  if (!uses) return fail(uses.error());
  return sync::Gateway{std::move(endpoint->url), tier, std::move(endpoint->authorization), *uses};
}

}  // namespace ipnscast::bridge
