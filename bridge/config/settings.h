#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace ipnscast::bridge {

// The configuration as plain values, section by section: what load_settings() makes of file and
// environment. The defaults stand in the option table (bridge/config/options.cpp), the only place
// that declares a key.

struct GatewaySetting {
  std::string url;
  std::string auth;  // value of the Authorization header; secret
  std::vector<std::string>
      only;  // what it may be used for: "blocks", "records", "publish"; empty: all it can
};

// How many relays, or which: `count` of them, all, or each of the named ones beside the count.
struct QuorumSetting {
  size_t count = 1;
  bool all = false;
  std::vector<std::string> named;
  bool operator==(const QuorumSetting&) const = default;
};

struct IdentitySettings {
  std::string key;
  std::string signer;
  std::string device_name;
};

struct RelaySettings {
  std::vector<std::string> urls;
  std::vector<int> kinds;
  bool announce_public = false;
  std::vector<int> public_kinds;
  bool private_hints = false;
  std::optional<int> history_kind;
  std::string topic;
  QuorumSetting quorum;
  size_t target = 0;
  std::chrono::milliseconds read_back{0};
  std::string proxy;
  std::string ca_file;
  std::vector<std::string> pins;
  bool auth = false;
  bool compat = false;
};

struct TrustSettings {
  std::vector<std::string> authors;
  std::string confirm;
  bool open = false;
  bool discover = false;
  std::string expired;
};

struct SourceSettings {
  std::vector<std::string> websocket;
  std::vector<std::string> sse;
  std::vector<std::string> w3name;
  bool pubsub = false;
  std::chrono::milliseconds poll_min{0};
  std::chrono::milliseconds poll_max{0};
  std::chrono::milliseconds poll_healthy{0};
  std::chrono::milliseconds debounce{0};
};

struct GatewaysSettings {
  std::vector<GatewaySetting> nodes;
  std::vector<GatewaySetting> public_gateways;
  std::vector<GatewaySetting> slow;
  std::string providers;
};

struct ResolveSettings {
  std::chrono::milliseconds answer_by{0};
  std::chrono::milliseconds listen{0};
  std::chrono::milliseconds slow_listen{0};
  std::chrono::milliseconds settle{0};
  std::chrono::milliseconds cache{0};
  std::chrono::milliseconds negative{0};
  size_t breaker_failures = 0;
  std::chrono::milliseconds breaker{0};
  std::string dns;
};

struct FetchSettings {
  uint64_t max_bytes = 0;
  std::chrono::milliseconds stall{0};
  size_t parallel = 0;
  uint64_t cache_bytes = 0;
  size_t versions = 0;
};

struct HandoverSettings {
  size_t lanes = 0;
  std::chrono::milliseconds handler_timeout{0};
  uint64_t kept = 0;
};

struct PublishSettings {
  std::chrono::milliseconds lifetime{0};
  std::chrono::milliseconds ttl{0};
  std::string profile;
  bool v1 = false;
  bool announcer = false;
  bool previous = false;
  std::string decider;
  std::chrono::milliseconds settle{0};
  std::chrono::milliseconds stall{0};
  bool vector = false;
  std::string over;
  std::chrono::milliseconds retry_min{0};
  std::chrono::milliseconds retry_max{0};
  size_t queue = 0;
  std::chrono::milliseconds max_age{0};
  std::string at_rest;
};

struct BridgeSettings {
  std::vector<std::string> names;
  std::string names_from;
  std::string store;
  std::chrono::milliseconds poll_fastest{0};
  std::chrono::milliseconds poll_slowest{0};
  std::chrono::milliseconds resolve_timeout{0};
  bool keep_alive = false;
  std::chrono::milliseconds warn_before_eol{0};
  size_t shards = 0;
};

struct PushSettings {
  std::string listen;
  std::string tls_cert;
  std::string tls_key;
  std::vector<std::string> origins;
  std::vector<std::string> tokens;
  size_t max_clients = 0;
  size_t max_names_per_client = 0;
  std::chrono::milliseconds ping{0};
};

struct HttpSettings {
  std::string metrics;
  std::string admin;  // empty: "admin.sock" in the state directory
};

// Of the embedded node and the embedded relay.
struct NodeSettings {
  std::string listen;
  uint64_t max_bytes = 0;
  std::vector<std::string> writers;
};
struct EmbeddedRelaySettings {
  std::string listen;
  uint64_t max_bytes = 0;
  std::vector<std::string> writers;
  bool owner_private = false;
  std::vector<std::string> urls;
  // Unset: by the address it listens on. 0: no limit.
  std::optional<int> rate;
  std::optional<int> request_rate;
  std::optional<int> max_clients_per_address;
  uint64_t max_clients = 0;
  uint64_t max_waiting = 0;  // bytes
};

struct LogSettings {
  std::string level;
  std::string format;
};

struct Settings {
  // Keys that were set and that nothing acts on yet, as "section.key".
  std::vector<std::string> without_effect;

  IdentitySettings identity;
  RelaySettings relays;
  TrustSettings trust;
  SourceSettings sources;
  GatewaysSettings gateways;
  ResolveSettings resolve;
  FetchSettings fetch;
  HandoverSettings handover;
  PublishSettings publish;
  BridgeSettings bridge;
  PushSettings push;
  HttpSettings http;
  NodeSettings node;
  EmbeddedRelaySettings relay;
  LogSettings log;
};

}  // namespace ipnscast::bridge
