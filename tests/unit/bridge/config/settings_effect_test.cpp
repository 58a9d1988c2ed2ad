// Every setting with a value of its own, and where that value has to arrive.
#include <functional>

#include "ipnscast/bridge/config/config.h"
#include "ipnscast/bridge/config/settings_table.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/temp_dir.h"
#include "ipnscast/tests/support/test_certificates.h"
#include "ipnscast/tools/session/bridge_settings.h"
#include "ipnscast/tools/session/relay_settings.h"

using namespace ipnscast;
using namespace ipnscast::bridge;
using std::chrono::hours;
using std::chrono::minutes;

namespace {

constexpr char kKey[] = "7e7e9c42a91bfef19fa929e5fda1b72e0ebc1a4c1141673e2794234d86addf4e";
constexpr char kName[] = "k51qzi5uqu5dlvj2baxnqndepeb86cbk3ng7n3i46uzyxzyqj2xjonzllnv0v8";

// A value for a key, in the words of the file, and whether it has arrived where it is used.
struct Effect {
  std::string value;
  std::function<bool(const Settings&)> arrived;
};

// Of an engine.
Effect engine(const std::string& value, const std::function<bool(const sync::Config&)>& arrived) {
  return {value, [arrived](const Settings& s) { return arrived(s.engine); }};
}

// Of a bridge.
Effect bridge_with(const std::string& value,
                   const std::function<bool(const BridgeOptions&)>& arrived) {
  return {value, [arrived](const Settings& s) {
            BridgeOptions options;
            return tools::fill_bridge_options(s, options) && arrived(options);
          }};
}

Effect relay_with(const std::string& value,
                  const std::function<bool(const nostr::server::RelayServerOptions&)>& arrived) {
  return {value, [arrived](const Settings& s) { return arrived(tools::relay_options(s.relay)); }};
}

std::map<std::string, Effect> engine_effects(const std::string& ca_file) {
  using C = sync::Config;
  return {
      {"relays.urls",
       engine(R"(["wss://a.example"])", [](const C& c) { return c.relays.size() == 1; })},
      {"relays.kinds", engine("[30001]", [](const C& c) { return c.kinds.front() == 30001; })},
      {"relays.public", engine("true", [](const C& c) { return c.publish_public; })},
      {"relays.public_kinds",
       bridge_with("[30002]", [](const BridgeOptions& o) { return o.kinds.front() == 30002; })},
      {"relays.private", engine("true", [](const C& c) { return c.private_hints; })},
      {"relays.topic",
       bridge_with(R"("t")", [](const BridgeOptions& o) { return o.topic == "t"; })},
      {"relays.quorum",
       bridge_with(R"("all")", [](const BridgeOptions& o) { return o.quorum.all; })},
      {"relays.read_back",
       bridge_with(R"("9s")",
                   [](const BridgeOptions& o) { return o.read_back == Milliseconds(9'000); })},
      {"relays.proxy",
       bridge_with(R"("socks5://127.0.0.1:9")",
                   [](const BridgeOptions& o) { return o.access.proxy.has_value(); })},
      {"relays.ca_file",
       bridge_with("\"" + ca_file + "\"",
                   [](const BridgeOptions& o) { return !o.access.ca_file.empty(); })},
      {"relays.pins", engine(R"(["sha256/)" + std::string(43, 'A') + R"(="])",
                             [](const C& c) {
                               return !c.access.pins.of(*nostr::RelayUrl::parse("wss://a")).empty();
                             })},
      {"relays.auth", bridge_with("false", [](const BridgeOptions& o) { return !o.auth; })},
      {"relays.compat", engine("false", [](const C& c) { return !c.compat; })},
      {"trust.authors", engine("[\"" + std::string(kKey) + "\"]",
                               [](const C& c) { return c.trusted_authors.size() == 1; })},
      {"trust.confirm",
       engine(R"("trusted")", [](const C& c) { return c.confirm == sync::Confirm::trusted; })},
      {"trust.open", engine("true", [](const C& c) { return c.open; })},
      {"trust.expired",
       engine(R"("reject")", [](const C& c) { return c.expired == sync::ExpiredPolicy::reject; })},
      {"sources.websocket",
       engine(R"(["wss://push.example"])",
              [](const C& c) { return c.websocket.at(0).text() == "wss://push.example"; })},
      {"sources.sse", engine(R"(["https://push.example"])",
                             [](const C& c) { return c.sse.at(0) == "https://push.example"; })},
      {"sources.w3name",
       engine(R"(["https://name.example"])",
              [](const C& c) { return c.w3name.at(0) == "https://name.example"; })},
      {"sources.poll_min", engine(R"("7s")", [](const C& c) { return c.poll_min == Seconds(7); })},
      {"sources.poll_max",
       engine(R"("77s")", [](const C& c) { return c.poll_max == Seconds(77); })},
      {"sources.poll_healthy",
       engine(R"("7m")", [](const C& c) { return c.poll_healthy == minutes(7); })},
      {"sources.debounce", engine(R"("0")", [](const C& c) { return c.debounce == Seconds(0); })},
      {"gateways.nodes", engine(R"([{url = "http://h", only = ["blocks"]}])",
                                [](const C& c) {
                                  return c.gateways.at(0).tier == 1 && !c.gateways[0].uses.records;
                                })},
      {"gateways.public",
       engine(R"(["http://h"])", [](const C& c) { return c.gateways.at(0).tier == 2; })},
      {"gateways.slow",
       engine(R"(["http://h"])", [](const C& c) { return c.gateways.at(0).tier == 3; })},
      {"gateways.providers",
       engine(R"("none")",
              [](const C& c) { return c.providers == sync::gateway::ProviderHosts::none; })},
      {"fetch.max_bytes",
       engine(R"("1KiB")", [](const C& c) { return c.fetch_max_bytes == 1024; })},
      {"fetch.stall", engine(R"("1s")", [](const C& c) { return c.fetch_stall == Seconds(1); })},
      {"fetch.parallel", engine("3", [](const C& c) { return c.parallel == 3; })},
      {"fetch.cache_bytes", engine("0", [](const C& c) { return c.cache_bytes == 0; })},
      {"fetch.versions", engine("0", [](const C& c) { return c.versions == 0; })},
      {"handover.lanes", engine("1", [](const C& c) { return c.handler_lanes == 1; })},
      {"handover.handler_timeout",
       engine(R"("1m")", [](const C& c) { return c.handler_timeout == minutes(1); })},
      {"handover.history", engine("7", [](const C& c) { return c.history_versions == 7; })},
      {"handover.kept", engine("1", [](const C& c) { return c.kept_bytes == 1; })},
      {"publish.lifetime",
       engine(R"("24h")", [](const C& c) { return c.record_lifetime == hours(24); })},
      {"publish.ttl", engine(R"("1m")", [](const C& c) { return c.record_ttl == minutes(1); })},
      {"publish.profile",
       engine(R"("unixfs-v1-2025")", [](const C& c) { return c.profile == sync::kUnixfsV1_2025; })},
      {"publish.v1", engine("false", [](const C& c) { return !c.record_v1; })},
      {"publish.announcer", engine("true", [](const C& c) { return c.record_announcer; })},
      {"publish.previous", engine("true", [](const C& c) { return c.record_previous; })},
      {"publish.decider",
       engine(R"("none")", [](const C& c) { return c.publish_decider == "none"; })},
      {"publish.settle",
       engine(R"("1s")", [](const C& c) { return c.publish_settle == Seconds(1); })},
      {"publish.stall",
       engine(R"("7s")", [](const C& c) { return c.publish_stall == Seconds(7); })},
      {"publish.vector", engine("false", [](const C& c) { return !c.publish_vector; })},
      {"devices.announce", engine("false", [](const C& c) { return !c.announce_device; })},
      {"devices.name", engine(R"("desk")", [](const C& c) { return c.device_name == "desk"; })},
      {"publish.over",
       engine(R"("any")", [](const C& c) { return c.publish_over == sync::PublishOver::any; })},
      {"publish.retry_min",
       bridge_with(R"("3s")", [](const BridgeOptions& o) { return o.retry_min == Seconds(3); })},
      {"publish.retry_max",
       bridge_with(R"("3m")", [](const BridgeOptions& o) { return o.retry_max == minutes(3); })},
      {"publish.queue",
       bridge_with("7", [](const BridgeOptions& o) { return o.outbox.max_events == 7; })},
      {"publish.max_age",
       bridge_with(R"("1h")", [](const BridgeOptions& o) { return o.outbox.max_age == hours(1); })},
      {"publish.at_rest",
       engine(R"("aes-256-gcm")", [](const C& c) { return c.encrypt_at_rest; })}};
}

std::map<std::string, Effect> other_effects() {
  using Relay = nostr::server::RelayServerOptions;
  return {
      {"identity.key", {R"("work")", [](const Settings& s) { return s.key == "work"; }}},
      {"identity.signer",
       {"\"bunker://" + std::string(kKey) + "?relay=wss://a.example\"",
        [](const Settings& s) { return s.signer.starts_with("bunker:"); }}},
      {"sources.pubsub", bridge_with("false", [](const BridgeOptions& o) { return !o.pubsub; })},
      // What a poll of the bridge does follows the section as what an engine does.
      {"resolve.answer_by",
       bridge_with(R"("1s")", [](const BridgeOptions& o) { return o.answer_by == Seconds(1); })},
      {"resolve.listen",
       bridge_with(R"("9s")",
                   [](const BridgeOptions& o) { return o.resolve_timeout == Seconds(9); })},
      {"resolve.slow_listen",
       bridge_with(R"("9s")", [](const BridgeOptions& o) { return o.slow_listen == Seconds(9); })},
      {"resolve.settle",
       bridge_with(R"("0")", [](const BridgeOptions& o) { return o.settle == Seconds(0); })},
      {"resolve.cache",
       bridge_with(R"("0")", [](const BridgeOptions& o) { return o.record_cache == Seconds(0); })},
      {"resolve.negative",
       bridge_with(R"("1s")",
                   [](const BridgeOptions& o) { return o.not_found_cache == Seconds(1); })},
      {"resolve.breaker_failures",
       bridge_with("9", [](const BridgeOptions& o) { return o.breaker_failures == 9; })},
      {"resolve.breaker",
       bridge_with(R"("1s")", [](const BridgeOptions& o) { return o.breaker == Seconds(1); })},
      {"resolve.dns",
       {R"("https://dns.example/q")", [](const Settings& s) { return !s.dns.empty(); }}},
      {"bridge.names", bridge_with("[\"" + std::string(kName) + "\"]",
                                   [](const BridgeOptions& o) { return o.names.size() == 1; })},
      {"bridge.poll", bridge_with(R"("7s to 8s")",
                                  [](const BridgeOptions& o) {
                                    return o.poll_min == Seconds(7) && o.poll_max == Seconds(8);
                                  })},
      {"bridge.resolve_timeout",
       bridge_with(R"("8s")",
                   [](const BridgeOptions& o) { return o.resolve_timeout == Seconds(8); })},
      {"bridge.keep_alive", {"true", [](const Settings& s) { return s.bridge.keep_alive; }}},
      {"http.metrics", {R"("")", [](const Settings& s) { return !s.metrics; }}},
      {"node.listen", {R"("[::1]:1")", [](const Settings& s) { return s.node.listen.port == 1; }}},
      {"node.max_bytes",
       {R"("2MiB")", [](const Settings& s) { return s.node.max_bytes == 2 << 20; }}},
      {"node.writers",
       {"[\"" + std::string(kName) + "\"]",
        [](const Settings& s) { return s.node.writers.size() == 1; }}},
      {"relay.listen",
       relay_with(R"("0.0.0.0:1")",
                  [](const Relay& o) { return o.address == "0.0.0.0" && o.port == 1; })},
      {"relay.max_bytes",
       relay_with(R"("2MiB")", [](const Relay& o) { return o.max_store_bytes == 2 << 20; })},
      {"relay.writers", relay_with("[\"" + std::string(kKey) + "\"]",
                                   [](const Relay& o) { return o.relay.writers.size() == 1; })},
      {"relay.owner_private",
       relay_with("true", [](const Relay& o) { return o.relay.owner_private; })},
      {"relay.urls",
       relay_with(R"(["wss://a.example"])", [](const Relay& o) { return o.urls.size() == 1; })},
      {"relay.rate",
       relay_with("7", [](const Relay& o) { return o.relay.events_per_second == 7; })},
      {"relay.request_rate",
       relay_with("7", [](const Relay& o) { return o.relay.requests_per_second == 7; })},
      {"relay.max_clients", relay_with("7", [](const Relay& o) { return o.max_connections == 7; })},
      {"relay.max_clients_per_address",
       relay_with("7", [](const Relay& o) { return o.max_connections_per_address == 7; })},
      {"relay.max_waiting",
       relay_with(R"("16MiB")", [](const Relay& o) { return o.max_waiting_bytes == 16 << 20; })},
      {"log.level",
       {R"("error")", [](const Settings& s) { return s.log.level == LogLevel::error; }}},
      {"log.format", {R"("json")", [](const Settings& s) { return s.log.json; }}}};
}

}  // namespace

TEST_CASE("each setting arrives where it is used, from file, environment and command line (G1)") {
  const test::TempDir dir;
  auto effects = engine_effects(
      test::make_certificate(dir.path(), "ca", {.authority = true}).certificate.string());
  effects.merge(other_effects());
  CHECK(effects.size() == settings_table().size());
  for (const Setting& setting : settings_table()) {
    INFO(setting.is.key);
    const auto effect = effects.find(setting.is.key);
    REQUIRE(effect != effects.end());
    const auto& [value, arrived] = effect->second;
    const auto from_file =
        parse_settings("[" + std::string(section_of(setting.is.key)) + "]\n" +
                           std::string(name_of(setting.is.key)) + " = " + value + "\n",
                       {});
    INFO((from_file ? "" : from_file.error().message));
    REQUIRE(from_file);
    CHECK(arrived(*from_file));
    // A list of texts in the environment has no brackets and quotes, and so have texts.
    std::string text = value;
    std::erase_if(text, [](char c) { return c == '"' || c == '[' || c == ']'; });
    if (text.find('{') != text.npos || setting.is.key == "node.listen") continue;
    const auto from_environment = parse_settings("", {{variable_of(setting.is.key), text}});
    INFO((from_environment ? "" : from_environment.error().message));
    REQUIRE(from_environment);
    CHECK(arrived(*from_environment));
    const auto typed = parse_settings("", {}, {{setting.is.key, {"--flag", text}}});
    REQUIRE(typed);
    CHECK(arrived(*typed));
  }
}
