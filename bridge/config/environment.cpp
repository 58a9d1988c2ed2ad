#include "ipnscast/bridge/config/environment.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <vector>

#include "ipnscast/bridge/config/settings_table.h"
#include "ipnscast/bridge/config/suggestion.h"
#include "ipnscast/nostr/base/letter_case.h"

namespace ipnscast::bridge {
namespace {

constexpr std::string_view kPrefix = "IPNSCAST";

// Of keys, and of watch --webhook; no settings.
constexpr char kPassword[] = "PASSWORD";
constexpr char kKeys[] = "KEYS";
constexpr char kWebhookSecret[] = "WEBHOOK_SECRET";
// What commands of --exec and --on-conflict find in their environment, in which they may call us
// again.
const std::vector<std::string> kOfCommands = {"NAME", "CID",  "SEQUENCE", "PREVIOUS",
                                              "PATH", "OURS", "THEIRS",   "MERGED"};
// Options of every command for which there is no variable.
const std::vector<std::pair<std::string_view, std::string_view>> kFlags = {
    {"CONFIG", "--config"},   {"CONFIG_FILE", "--config"}, {"STATE", "--state"},
    {"STATE_DIR", "--state"}, {"TIMEOUT", "--timeout"},    {"PASSWORD_FILE", "--password-file"}};

std::string in_upper_case(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

// "RELAYS_URLS" of IPNSCAST_RELAYS_URLS, also of ipnscast_relays_urls and IPNCAST_RELAYS_URLS.
std::optional<std::string> own_part(std::string_view name) {
  const size_t end = name.find('_');
  if (end == name.npos ||
      misspelt(in_upper_case(name.substr(0, end)), {std::string(kPrefix)}).empty())
    return std::nullopt;
  return in_upper_case(name.substr(end + 1));
}

bool has_prefix(std::string_view name) {
  return name.starts_with(kPrefix) && name.substr(kPrefix.size()).starts_with('_');
}

// Kubernetes and Docker say so where the service "ipnscast-relay" is.
bool made_by_containers(std::string_view part) {
  return part.find("_SERVICE_") != part.npos || part.ends_with("_PORT") ||
         part.find("_PORT_") != part.npos;
}

// The names without the prefix that a person may set.
std::vector<std::string> known_parts() {
  std::vector<std::string> out = {kPassword, kKeys, kWebhookSecret};
  for (const Setting& row : settings_table())
    out.push_back(variable_of(row.is.key).substr(kPrefix.size() + 1));
  return out;
}

// What was probably meant, as advice; empty when it was probably none of ours.
std::string meant(std::string_view part) {
  if (const std::string known = misspelt(part, known_parts()); !known.empty())
    return "did you mean " + std::string(kPrefix) + "_" + known + "?";
  for (const auto& [word, flag] : kFlags) {
    if (part == word) return "use the option " + std::string(flag) + " instead";
  }
  std::vector<std::string> sections;
  for (const Setting& row : settings_table()) {
    if (part == in_upper_case(name_of(row.is.key)))
      return "did you mean " + variable_of(row.is.key) + "?";
    sections.emplace_back(section_of(row.is.key));
  }
  const std::string section = misspelt(lower_case(part.substr(0, part.find('_'))), sections);
  if (section.empty() || made_by_containers(part)) return {};
  return keys_of_section(section);
}

bool is_known(std::string_view name) {
  if (!has_prefix(name)) return false;
  auto known = known_parts();
  known.insert(known.end(), kOfCommands.begin(), kOfCommands.end());
  return std::find(known.begin(), known.end(), name.substr(kPrefix.size() + 1)) != known.end();
}

}  // namespace

Environment process_environment() {
  Environment out;
  for (char** at = environ; at != nullptr && *at != nullptr; ++at) {
    const std::string_view text(*at);
    const auto name = text.substr(0, text.find('='));
    const bool place = name == "XDG_CONFIG_HOME" || name == "HOME";
    if (!place && !own_part(name)) continue;
    const bool secret = name == "IPNSCAST_PASSWORD" || name == "IPNSCAST_WEBHOOK_SECRET";
    const bool told = place || (is_known(name) && !secret);
    out[std::string(name)] = told && name.size() < text.size() ? text.substr(name.size() + 1) : "";
  }
  return out;
}

Status check_names(const Environment& environment) {
  for (const auto& [name, value] : environment) {
    const auto part = own_part(name);
    if (!part || is_known(name)) continue;
    if (const std::string advice = meant(*part); !advice.empty())
      return fail(Errc::invalid, name + ": no setting has this name: " + advice);
  }
  return {};
}

}  // namespace ipnscast::bridge
