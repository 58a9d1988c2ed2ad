#include "ipnscast/bridge/config/config.h"

#include <toml++/toml.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <fstream>
#include <map>
#include <numeric>
#include <sstream>

#include "ipnscast/bridge/config/gateway_setting.h"
#include "ipnscast/nostr/event/nip19.h"
#include "ipnscast/sync/config_check.h"

namespace ipnscast::bridge {
namespace {

constexpr size_t kMaxFile = 16 * 1024 * 1024;

std::string path_of(const Option& option) {
  return std::string(option.section) + "." + std::string(option.key);
}

// Dates and floats are no value of any key and read as their text, which no key takes either.
Value value_of(const toml::node& node) {
  if (const auto* flag = node.as_boolean()) return {flag->get()};
  if (const auto* number = node.as_integer()) return {number->get()};
  if (const auto* text = node.as_string()) return {text->get()};
  if (const auto* list = node.as_array()) {
    Value::List out;
    for (const auto& item : *list) out.push_back(value_of(item));
    return {std::move(out)};
  }
  if (const auto* table = node.as_table()) {
    Value::Table out;
    for (const auto& [key, item] : *table) out.push_back({std::string(key.str()), value_of(item)});
    return {std::move(out)};
  }
  return {Value::Table{}};
}

std::string line_of(const toml::node& node) {
  return "line " + std::to_string(node.source().begin.line) + ": ";
}

Status unknown_section(const toml::node& node, std::string_view section) {
  std::vector<std::string> known;
  for (const auto& option : options()) known.emplace_back(option.section);
  return fail(Errc::invalid, line_of(node) + "unknown section [" + std::string(section) +
                                 "], the nearest is [" + nearest(section, known) + "]");
}

Status unknown_key(const toml::node& node, std::string_view section, std::string_view key) {
  std::vector<std::string> known;
  for (const auto& option : options()) {
    if (option.section == section) known.emplace_back(option.key);
  }
  return fail(Errc::invalid, line_of(node) + "unknown key " + std::string(section) + "." +
                                 std::string(key) + ", the nearest is " + std::string(section) +
                                 "." + nearest(key, known));
}

const Option* find_option(std::string_view section, std::string_view key) {
  for (const auto& option : options()) {
    if (option.section == section && option.key == key) return &option;
  }
  return nullptr;
}

bool known_section(std::string_view section) {
  return std::any_of(options().begin(), options().end(),
                     [&](const auto& o) { return o.section == section; });
}

Status apply(Settings& settings, const Option& option, const Value& value,
             const std::string& where) {
  auto status = option.apply(settings, option, value);
  if (!status) return fail(Error{Errc::invalid, status.error().message}.within(where));
  return {};
}

Status apply_text(Settings& settings, const Option& option, std::string_view text,
                  const std::string& where) {
  const auto value = value_from_text(option, text);
  if (!value) return fail(Error{Errc::invalid, value.error().message}.within(where));
  return apply(settings, option, *value, where);
}

// Where a key was set, as a complaint begins: "line 3: fetch.parallel". Those that keep their
// default are not in it.
using Places = std::map<std::string, std::string>;

Status apply_file(Settings& settings, const toml::table& file, Places& places) {
  for (const auto& [section_key, section_node] : file) {
    const auto section = section_key.str();
    if (!known_section(section)) return unknown_section(section_node, section);
    const auto* table = section_node.as_table();
    if (table == nullptr) {
      return fail(Errc::invalid, line_of(section_node) + std::string(section) +
                                     " is a section: write [" + std::string(section) + "]");
    }
    for (const auto& [key, node] : *table) {
      const auto* option = find_option(section, key.str());
      if (option == nullptr) return unknown_key(node, section, key.str());
      const std::string where = line_of(node) + path_of(*option);
      if (auto status = apply(settings, *option, value_of(node), where); !status) return status;
      places[path_of(*option)] = where;
      if (option->without_effect) settings.without_effect.push_back(path_of(*option));
    }
  }
  return {};
}

Result<std::vector<sync::Gateway>> all_gateways(const GatewaysSettings& settings) {
  std::vector<sync::Gateway> out;
  const std::pair<const std::vector<GatewaySetting>*, int> tiers[] = {
      {&settings.nodes, 1}, {&settings.public_gateways, 2}, {&settings.slow, 3}};
  for (const auto& [list, tier] : tiers) {
    for (const GatewaySetting& setting : *list) {
      auto gateway = to_gateway(setting, tier);
      if (!gateway) return fail(gateway.error().within("gateways"));
      out.push_back(std::move(*gateway));
    }
  }
  return out;
}

// The key that sets a member of sync::Config.
std::string key_of(std::string_view member) {
  static const std::map<std::string_view, std::string_view> kKeys = {
      {"kinds", "relays.kinds"},
      {"public_kinds", "relays.public_kinds"},
      {"publish_public", "relays.public"},
      {"private_hints", "relays.private"},
      {"quorum", "relays.quorum"},
      {"read_back", "relays.read_back"},
      {"access.ca_file", "relays.ca_file"},
      {"poll_min", "sources.poll_min"},
      {"poll_max", "sources.poll_max"},
      {"poll_healthy", "sources.poll_healthy"},
      {"debounce", "sources.debounce"},
      {"answer_by", "resolve.answer_by"},
      {"listen", "resolve.listen"},
      {"slow_listen", "resolve.slow_listen"},
      {"settle", "resolve.settle"},
      {"record_cache", "resolve.cache"},
      {"not_found_cache", "resolve.negative"},
      {"breaker_failures", "resolve.breaker_failures"},
      {"breaker", "resolve.breaker"},
      {"fetch_max_bytes", "fetch.max_bytes"},
      {"cache_bytes", "fetch.cache_bytes"},
      {"versions", "fetch.versions"},
      {"fetch_stall", "fetch.stall"},
      {"parallel", "fetch.parallel"},
      {"handler_lanes", "handover.lanes"},
      {"handler_timeout", "handover.handler_timeout"},
      {"kept_bytes", "handover.kept"},
      {"profile", "publish.profile"},
      {"record_lifetime", "publish.lifetime"},
      {"record_ttl", "publish.ttl"},
      {"record_announcer", "publish.announcer"},
      {"publish_decider", "publish.decider"},
      {"publish_settle", "publish.settle"},
      {"publish_stall", "publish.stall"},
      {"retry_min", "publish.retry_min"},
      {"retry_max", "publish.retry_max"},
      {"outbox.max_events", "publish.queue"},
      {"outbox.max_age", "publish.max_age"}};
  const auto found = kKeys.find(member);
  return std::string(found == kKeys.end() ? member : found->second);
}

// Where the fault is, of the two keys that it may be about the one that was set.
std::string place_of(const sync::ConfigFault& fault, const Places& places) {
  for (const std::string_view member : {fault.setting, fault.other}) {
    if (const auto found = places.find(key_of(member)); found != places.end()) return found->second;
  }
  return key_of(fault.setting);
}

// What no single key can say.
Status check_together(const Settings& s, const Places& places) {
  if (s.push.tls_cert.empty() != s.push.tls_key.empty())
    return fail(Errc::invalid, "push.tls_cert and push.tls_key: want both or none");
  const auto config = to_sync_config(s);
  if (!config) return fail(config.error());
  if (const auto fault = sync::find_fault(*config))
    return fail(Errc::invalid, place_of(*fault, places) + ": " + fault->why);
  return {};
}

}  // namespace

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
  };
}

std::string environment_name(const Option& option) {
  std::string out = "IPNSCAST_" + std::string(option.section) + "_" + std::string(option.key);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return out;
}

std::string nearest(std::string_view unknown, const std::vector<std::string>& known) {
  unknown = unknown.substr(0, 64);
  const auto distance = [&](std::string_view word) {
    std::vector<size_t> row(word.size() + 1);
    std::iota(row.begin(), row.end(), size_t{0});
    for (size_t i = 1; i <= unknown.size(); ++i) {
      size_t diagonal = std::exchange(row[0], i);
      for (size_t j = 1; j <= word.size(); ++j) {
        const size_t changed = diagonal + (unknown[i - 1] == word[j - 1] ? 0 : 1);
        diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, changed}));
      }
    }
    return row.back();
  };
  const auto best = std::min_element(known.begin(), known.end(), [&](const auto& a, const auto& b) {
    return distance(a) < distance(b);
  });
  return best == known.end() ? std::string() : *best;
}

Result<Settings> parse_settings(std::string_view toml, const Environment& environment) {
  Settings settings;
  Places places;
  for (const auto& option : options()) {
    if (option.fallback.empty()) continue;
    if (auto status = apply_text(settings, option, option.fallback, path_of(option)); !status) {
      return fail(status.error());
    }
  }
  try {
    const auto file = toml::parse(toml);
    if (auto status = apply_file(settings, file, places); !status) return fail(status.error());
  } catch (const toml::parse_error& error) {
    return fail(Errc::parse, "line " + std::to_string(error.source().begin.line) + ": " +
                                 std::string(error.description()));
  }
  for (const auto& option : options()) {
    const auto name = environment_name(option);
    const auto text = environment(name);
    if (!text) continue;
    if (auto status = apply_text(settings, option, *text, name); !status)
      return fail(status.error());
    places[path_of(option)] = name;
    if (option.without_effect) settings.without_effect.push_back(name);
  }
  if (auto status = check_together(settings, places); !status) return fail(status.error());
  return settings;
}

Result<Settings> load_settings(const std::filesystem::path& file, bool required,
                               const Environment& environment) {
  std::error_code error;
  std::string text;
  if (std::filesystem::exists(file, error)) {
    if (std::filesystem::file_size(file, error) > kMaxFile) {
      return fail(Errc::too_large, file.string() + ": larger than 16 MiB");
    }
    std::ifstream in(file, std::ios::binary);
    std::ostringstream all;
    all << in.rdbuf();
    if (!in) return fail(Errc::io, file.string() + ": cannot be read");
    text = std::move(all).str();
  } else if (required) {
    return fail(Errc::io, file.string() + ": no such file");
  }
  auto settings = parse_settings(text, environment);
  if (!settings) return fail(settings.error().within(file.string()));
  return settings;
}

Result<nostr::net::Access> relay_access(const Settings& s) {
  nostr::net::Access out;
  out.ca_file = s.relays.ca_file;
  if (!s.relays.proxy.empty()) {
    auto proxy = nostr::net::ProxyUrl::parse(s.relays.proxy);
    if (!proxy) return fail(proxy.error().within("relays.proxy"));
    out.proxy = std::move(*proxy);
  }
  auto pins = nostr::net::KeyPins::parse(s.relays.pins);
  if (!pins) return fail(pins.error().within("relays.pins"));
  out.pins = std::move(*pins);
  return out;
}

nostr::OutboxLimits outbox_limits(const PublishSettings& settings) {
  return {settings.queue, std::chrono::duration_cast<Seconds>(settings.max_age)};
}

Result<nostr::Quorum> to_quorum(const QuorumSetting& setting) {
  nostr::Quorum out{setting.count, setting.all, {}};
  for (const std::string& text : setting.named) {
    auto url = nostr::RelayUrl::parse(text);
    if (!url) return fail(Error{Errc::invalid, url.error().message}.within("quorum: " + text));
    out.named.push_back(std::move(*url));
  }
  return out;
}

Result<sync::Config> to_sync_config(const Settings& s) {
  sync::Config config;
  auto access = relay_access(s);
  if (!access) return fail(access.error());
  config.access = std::move(*access);
  for (const auto& url : s.relays.urls) {
    const auto relay = nostr::RelayUrl::parse(url);
    if (!relay) return fail(relay.error().within("relays.urls: " + url));
    config.relays.push_back(*relay);
  }
  for (const auto& author : s.trust.authors) {
    const auto key = nostr::parse_public_key(author);
    if (!key) return fail(key.error().within("trust.authors: " + author));
    config.trusted_authors.push_back(*key);
  }
  auto gateways = all_gateways(s.gateways);
  if (!gateways) return fail(gateways.error());
  config.gateways = std::move(*gateways);
  config.topic = s.relays.topic;
  config.kinds = s.relays.kinds;
  config.public_kinds = s.relays.public_kinds;
  config.publish_public = s.relays.announce_public;
  config.private_hints = s.relays.private_hints;
  config.compat = s.relays.compat;
  config.open = s.trust.open;
  config.confirm = s.trust.confirm == "trusted" ? sync::Confirm::trusted : sync::Confirm::always;
  config.expired =
      s.trust.expired == "reject" ? sync::ExpiredPolicy::reject : sync::ExpiredPolicy::last_good;
  config.poll_min = s.sources.poll_min;
  config.poll_max = s.sources.poll_max;
  config.poll_healthy = s.sources.poll_healthy;
  config.debounce = s.sources.debounce;
  config.answer_by = s.resolve.answer_by;
  config.listen = s.resolve.listen;
  config.slow_listen = s.resolve.slow_listen;
  config.settle = s.resolve.settle;
  config.record_cache = s.resolve.cache;
  config.not_found_cache = s.resolve.negative;
  config.breaker_failures = static_cast<int>(std::min<size_t>(s.resolve.breaker_failures, INT_MAX));
  config.breaker = s.resolve.breaker;
  config.fetch_max_bytes = s.fetch.max_bytes;
  config.cache_bytes = s.fetch.cache_bytes;
  config.encrypt_at_rest = s.publish.at_rest == "aes-256-gcm";
  config.fetch_stall = s.fetch.stall;
  config.parallel = s.fetch.parallel;
  config.handler_lanes = s.handover.lanes;
  config.handler_timeout = s.handover.handler_timeout;
  config.kept_bytes = s.handover.kept;
  using Hosts = sync::gateway::ProviderHosts;
  config.providers = s.gateways.providers == "any"    ? Hosts::any
                     : s.gateways.providers == "none" ? Hosts::none
                                                      : Hosts::public_only;
  config.record_lifetime = s.publish.lifetime;
  config.record_ttl = s.publish.ttl;
  config.record_v1 = s.publish.v1;
  config.record_announcer = s.publish.announcer;
  config.record_previous = s.publish.previous;
  config.publish_decider = s.publish.decider;
  config.publish_settle = s.publish.settle;
  config.publish_stall = s.publish.stall;
  config.publish_vector = s.publish.vector;
  config.publish_over = s.publish.over == "any" ? sync::PublishOver::any : sync::PublishOver::base;
  config.versions = s.fetch.versions;
  if (s.publish.profile == "unixfs-v1-2025") config.profile = sync::kUnixfsV1_2025;
  auto quorum = to_quorum(s.relays.quorum);
  if (!quorum) return fail(quorum.error().within("relays"));
  config.quorum = std::move(*quorum);
  config.auth = s.relays.auth;
  config.read_back = s.relays.read_back;
  config.retry_min = s.publish.retry_min;
  config.retry_max = s.publish.retry_max;
  config.outbox = outbox_limits(s.publish);
  return config;
}

Result<std::filesystem::path> default_config_file(const Environment& environment) {
  if (const auto base = environment("XDG_CONFIG_HOME"); base && !base->empty()) {
    return std::filesystem::path(*base) / "ipnscast" / "config.toml";
  }
  if (const auto home = environment("HOME"); home && !home->empty()) {
    return std::filesystem::path(*home) / ".config" / "ipnscast" / "config.toml";
  }
  return fail(Errc::invalid, "no home directory: give --config");
}

}  // namespace ipnscast::bridge
