#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ipnscast/bridge/config/listen_address.h"
#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/server/relay_server.h"
#include "ipnscast/sync/config.h"
#include "ipnscast/sync/settings/value.h"

namespace ipnscast::bridge {

// What file, environment and command line say, checked, as the parts of the program take it. Their
// rows stand in sync/config_settings.cpp and bridge/config/settings_table.cpp; what is initialized
// here is the default.

struct BridgeSettings {
  std::vector<sync::IpnsName> names;
  Milliseconds poll_min{5'000};
  Milliseconds poll_max{600'000};
  std::optional<Milliseconds> resolve_timeout;  // unset: as resolve.listen
  bool keep_alive = false;
};

struct NodeSettings {
  ListenAddress listen{"127.0.0.1", 8081};
  uint64_t max_bytes = uint64_t{10} << 30;
  std::set<sync::IpnsName> writers;
};

struct RelaySettings {
  ListenAddress listen{"127.0.0.1", 7777};
  nostr::server::RelayServerOptions server;  // but for its address and the next three
  // Unset: by the address it listens on. 0: no limit.
  std::optional<int> rate;
  std::optional<int> request_rate;
  std::optional<int> max_clients_per_address;
};

struct LogSettings {
  LogLevel level = LogLevel::info;
  bool json = false;
};

// A key that was set.
struct Given {
  std::string where;  // "/etc/ipnscast.toml: line 3", "IPNSCAST_RELAYS_URLS", "--proxy"
  sync::settings::Value value;
};

struct Settings {
  std::string key;              // label of the own key; empty: self
  std::string signer = "file";  // or bunker://...
  sync::Config engine;
  std::string dns;  // DNS over HTTPS; empty: the system's resolver
  BridgeSettings bridge;
  std::optional<ListenAddress> metrics = ListenAddress{"127.0.0.1", 9464};
  NodeSettings node;
  RelaySettings relay;
  LogSettings log;

  std::map<std::string, Given> given;  // by key; holds secrets
};

}  // namespace ipnscast::bridge
