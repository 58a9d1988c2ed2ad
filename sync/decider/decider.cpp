#include "ipnscast/sync/decider/decider.h"

#include <algorithm>

#include "ipnscast/nostr/net/stream/name_lookup.h"
#include "ipnscast/sync/gateway/redirect.h"

namespace ipnscast::sync {
namespace {

constexpr std::string_view kNobody = "none";

// As an endpoint spells it: without a password, and whether a slash ends it or not.
std::string node_url(std::string_view text) {
  const auto endpoint = gateway::parse_endpoint(text);
  std::string out = endpoint ? endpoint->url : std::string(text);
  while (out.ends_with('/')) out.pop_back();
  return out;
}

bool at_loopback(const std::string& url) {
  return nostr::net::NameLookup::is_loopback(gateway::origin_of(url).host);
}

}  // namespace

std::optional<size_t> choose_decider(const gateway::GatewayBook& book, std::string_view setting) {
  if (setting == kNobody) return std::nullopt;
  const std::string wanted = node_url(setting);
  for (size_t i = 0; i < book.size(); ++i) {
    const std::string& url = book.endpoint(i).url;
    if (book.tier(i) != 1 || !book.uses(i).publish) continue;
    const auto offers = book.offers_preconditions(i);
    if (!setting.empty()) {
      if (node_url(url) == wanted) return offers == false ? std::nullopt : std::optional(i);
    } else if (!at_loopback(url) && offers != false) {
      return offers ? std::optional(i) : std::nullopt;
    }
  }
  return std::nullopt;
}

Status check_decider(std::string_view setting, const std::vector<std::string>& node_urls) {
  if (setting.empty() || setting == kNobody) return {};
  if (auto endpoint = gateway::parse_endpoint(setting); !endpoint) return fail(endpoint.error());
  const std::string wanted = node_url(setting);
  const bool known = std::any_of(node_urls.begin(), node_urls.end(),
                                 [&](const std::string& url) { return node_url(url) == wanted; });
  if (known) return {};
  return fail(Errc::invalid, "\"" + wanted +
                                 "\" is not one of gateways.nodes: add it there, or "
                                 "write \"none\" if no node is to decide");
}

}  // namespace ipnscast::sync
