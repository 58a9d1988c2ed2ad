#include "ipnscast/sync/config_check.h"

#include <vector>

#include "ipnscast/nostr/net/stream/tls_client.h"
#include "ipnscast/sync/config_settings.h"
#include "ipnscast/sync/decider/decider.h"
#include "ipnscast/sync/gateway/endpoint.h"
#include "ipnscast/sync/settings/quantity.h"

namespace ipnscast::sync {
namespace {

using settings::duration_text;
using Fault = std::optional<ConfigFault>;

// Each within its own bounds.
Fault check_bounds(const Config& c) {
  for (const auto& setting : config_settings()) {
    if (auto status = setting.check(c); !status)
      return ConfigFault{setting.is.member, status.error().message};
  }
  using settings::TimeBounds;
  const TimeBounds some{std::chrono::nanoseconds(1)};
  if (auto status = some.check(TimeBounds::bounded(c.publish_timeout)); !status)
    return ConfigFault{"publish_timeout", status.error().message};
  const PackProfile& profile = c.profile;
  if (profile.chunk_bytes < 1 || profile.chunk_bytes > 2 << 20)
    return ConfigFault{"profile", "want blocks of 1 byte to 2 MiB"};
  if (profile.links_per_node < 2 || profile.links_per_node > 8'192)
    return ConfigFault{"profile", "want 2 to 8192 links in a node"};
  return {};
}

Fault check_times(const Config& c) {
  if (c.poll_min > c.poll_max)
    return ConfigFault{"poll_min",
                       "the shortest time between polls, " + duration_text(c.poll_min) +
                           ", is longer than the longest, " + duration_text(c.poll_max),
                       "poll_max"};
  if (c.retry_min > c.retry_max)
    return ConfigFault{"retry_min",
                       "the first wait, " + duration_text(c.retry_min) +
                           ", is longer than the longest, " + duration_text(c.retry_max),
                       "retry_max"};
  if (c.record_ttl > c.record_lifetime)
    return ConfigFault{"record_ttl",
                       "a record may not be cached for longer (its TTL, " +
                           duration_text(c.record_ttl) + ") than it is valid (its lifetime, " +
                           duration_text(c.record_lifetime) + ")",
                       "record_lifetime"};
  return {};
}

Fault check_places(const Config& c) {
  for (const Gateway& gateway : c.gateways) {
    if (auto endpoint = gateway::parse_endpoint(gateway.url, gateway.authorization); !endpoint)
      return ConfigFault{"gateways", endpoint.error().message};
    if (gateway.tier < 1 || gateway.tier > 3)
      return ConfigFault{"gateways", "want tier 1 to 3, not " + std::to_string(gateway.tier)};
  }
  std::vector<std::string> nodes;
  for (const Gateway& gateway : c.gateways) {
    if (gateway.tier == 1) nodes.push_back(gateway.url);
  }
  if (auto decider = check_decider(c.publish_decider, nodes); !decider)
    return ConfigFault{"publish_decider", decider.error().message};
  if (c.access.ca_file.empty()) return {};
  const auto tls = nostr::net::make_tls_context(c.access.ca_file, {}, nullptr);
  if (!tls) return ConfigFault{"access.ca_file", tls.error().message};
  return {};
}

Fault check_privacy(const Config& c) {
  if (c.private_hints && c.publish_public)
    return ConfigFault{"private_hints",
                       "hints are private, for our devices, or public, for everybody: not both",
                       "publish_public"};
  if (c.private_hints && c.record_announcer)
    return ConfigFault{"private_hints",
                       "hints that hide whose they are, and records that name our key, exclude "
                       "each other",
                       "record_announcer"};
  return {};
}

}  // namespace

std::optional<ConfigFault> find_fault(const Config& config) {
  for (const auto check : {check_bounds, check_times, check_places, check_privacy}) {
    if (auto fault = check(config)) return fault;
  }
  return {};
}

}  // namespace ipnscast::sync
