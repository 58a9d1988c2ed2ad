#include "ipnscast/sync/holder_facts.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "ipnscast/nostr/event/nip19.h"
#include "ipnscast/sync/config_settings.h"

namespace ipnscast::sync {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kIdentity = "identity";
constexpr std::string_view kRelays = "relays.urls";
// The forms in which we publish.
constexpr std::array<std::string_view, 15> kForms = {
    "relays.kinds",    "relays.public",  "relays.public_kinds", "relays.private",
    "relays.topic",    "relays.quorum",  "publish.lifetime",    "publish.ttl",
    "publish.profile", "publish.v1",     "publish.announcer",   "publish.previous",
    "publish.decider", "publish.vector", "publish.over"};
constexpr std::array<std::string_view, 3> kTiers = {"gateways.nodes", "gateways.public",
                                                    "gateways.slow"};

std::string written(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_null() ? "nothing" : value.dump();
}

bool holds_all(const Json& there, const Json& here) {
  return there.is_array() && std::all_of(here.begin(), here.end(), [&](const Json& one) {
           return std::find(there.begin(), there.end(), one) != there.end();
         });
}

}  // namespace

Json holder_facts(const Config& config) {
  Json out;
  out[kIdentity] = config.signer ? Json(nostr::encode_npub(config.signer->public_key())) : Json();
  out[kRelays] = Json::array();
  for (const auto& relay : config.relays) out[kRelays].push_back(relay.text());
  for (size_t i = 0; i < kTiers.size(); ++i) {
    Json& urls = out[kTiers[i]] = Json::array();
    for (const Gateway& gateway : config.gateways) {
      if (gateway.tier == static_cast<int>(i) + 1) urls.push_back(gateway.url);
    }
  }
  for (const auto& setting : config_settings()) {
    if (std::find(kForms.begin(), kForms.end(), setting.is.key) != kForms.end())
      out[setting.is.key] = settings::to_toml(setting.shown(config));
  }
  return out;
}

Status check_holder(const Json& facts, const Config& config) {
  const Json ours = holder_facts(config);
  for (const auto& [key, here] : ours.items()) {
    const Json there = facts.is_object() ? facts.value(key, Json()) : Json();
    if (here.is_array() ? holds_all(there, here) : there == here) continue;
    return fail(Errc::invalid, key + ": the process that holds the state directory works with " +
                                   written(there) + ", and this is about " + written(here) +
                                   ": give both the same, or end that process");
  }
  return {};
}

}  // namespace ipnscast::sync
