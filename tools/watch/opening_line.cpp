#include "ipnscast/tools/watch/opening_line.h"

#include "ipnscast/tools/reports/short_text.h"

namespace ipnscast::tools {
namespace {

constexpr size_t kListed = 3;

// "2 relays (a, b)".
std::string counted(const std::vector<std::string>& all, const std::string& word) {
  return std::to_string(all.size()) + " " + word + (all.size() == 1 ? "" : "s") + " (" +
         list_text(all, kListed) + ")";
}

std::string names_text(const std::vector<sync::IpnsName>& names) {
  if (names.size() == 1) return names.front().to_string();
  const ShortNames shorten(names);
  std::vector<std::string> all;
  for (const auto& name : names) all.push_back(shorten.of(name));
  return counted(all, "name");
}

std::vector<std::string> gateway_urls(const sync::Config& config) {
  std::vector<std::string> out;
  for (const auto& gateway : config.gateways) {
    // Without the user and password that it may hold.
    const auto endpoint = sync::gateway::parse_endpoint(gateway.url);
    out.push_back(endpoint ? endpoint->url : gateway.url);
  }
  return out;
}

}  // namespace

std::string opening_line(const std::vector<sync::IpnsName>& names, const sync::Config& config) {
  std::vector<std::string> relays;
  for (const auto& relay : config.relays) relays.push_back(relay.text());
  const auto gateways = gateway_urls(config);
  std::string out = "following " + names_text(names) + " over ";
  if (!relays.empty()) out += counted(relays, "relay");
  if (!relays.empty() && !gateways.empty()) out += " and ";
  if (!gateways.empty()) out += counted(gateways, "gateway");
  if (relays.empty()) out += ", by polling: no relay is configured";
  if (gateways.empty()) out += ", without a gateway: only hints that bring their record count";
  return out;
}

}  // namespace ipnscast::tools
