#pragma once

#include <memory>
#include <string>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/sync/c_api/ipnscast.h"
#include "ipnscast/tests/integration/sync/client_world.h"

// A device that uses nothing but the C API, in the world of the other tests.
namespace ipnscast::test {

struct CFree {
  void operator()(ipnscast_error* error) const { ipnscast_error_free(error); }
  void operator()(ipnscast_config* config) const { ipnscast_config_free(config); }
  void operator()(ipnscast_key* key) const { ipnscast_key_free(key); }
  void operator()(ipnscast_client* client) const { ipnscast_free(client); }
  void operator()(ipnscast_event* event) const { ipnscast_event_free(event); }
  void operator()(ipnscast_outcome* outcome) const { ipnscast_outcome_free(outcome); }
  void operator()(ipnscast_resolution* found) const { ipnscast_resolution_free(found); }
  void operator()(ipnscast_status* status) const { ipnscast_status_free(status); }
  void operator()(ipnscast_losses* losses) const { ipnscast_losses_free(losses); }
};
template <typename T>
using COwned = std::unique_ptr<T, CFree>;

inline std::string text_of(const ipnscast_text& text) {
  CHECK(text.data[text.size] == '\0');
  return {text.data, text.size};
}

// An error of a call, made into what a test compares.
struct CError {
  ipnscast_error* error = nullptr;
  ~CError() { ipnscast_error_free(error); }
  CError() = default;
  CError(const CError&) = delete;
  CError& operator=(const CError&) = delete;
  // For a call, which overwrites what was there.
  ipnscast_error** out() {
    ipnscast_error_free(error);
    error = nullptr;
    return &error;
  }
  std::string message() const { return text_of(ipnscast_error_message(error)); }
};

inline COwned<ipnscast_config> c_config() {
  ipnscast_config* out = nullptr;
  REQUIRE(ipnscast_config_new(&out) == IPNSCAST_OK);
  return COwned<ipnscast_config>(out);
}

inline void set(const COwned<ipnscast_config>& config, const std::string& key,
                const std::string& value) {
  CError error;
  const int code = ipnscast_config_set(config.get(), key.data(), key.size(), value.data(),
                                       value.size(), error.out());
  INFO(error.message());
  REQUIRE(code == IPNSCAST_OK);
}

inline COwned<ipnscast_key> c_key(const World& world) {
  ipnscast_key* out = nullptr;
  const std::string secret = to_hex(world.nostr_key.secret_view());
  REQUIRE(ipnscast_key_parse(secret.data(), secret.size(), &out, nullptr) == IPNSCAST_OK);
  return COwned<ipnscast_key>(out);
}

// The settings of a device of this world's person. Nothing is found by polling.
inline COwned<ipnscast_config> c_config(const World& world, const std::string& device) {
  auto config = c_config();
  set(config, "state_dir", (world.dir.path() / device).string());
  set(config, "relays.urls", world.relay->url());
  set(config, "gateways.nodes", world.node->gateway_url() + ", " + world.node->rpc_url());
  for (const char* key : {"sources.poll_min", "sources.poll_max", "sources.poll_healthy"})
    set(config, key, "24h");
  const auto key = c_key(world);
  REQUIRE(ipnscast_config_set_key(config.get(), key.get(), nullptr) == IPNSCAST_OK);
  return config;
}

inline COwned<ipnscast_client> c_open(const COwned<ipnscast_config>& config) {
  ipnscast_client* out = nullptr;
  CError error;
  const int code = ipnscast_open(config.get(), &out, error.out());
  INFO(error.message());
  REQUIRE(code == IPNSCAST_OK);
  return COwned<ipnscast_client>(out);
}

inline COwned<ipnscast_client> c_open(const World& world, const std::string& device) {
  return c_open(c_config(world, device));
}

inline COwned<ipnscast_outcome> c_publish(const COwned<ipnscast_client>& client, const World& world,
                                          const std::filesystem::path& path) {
  ipnscast_outcome* out = nullptr;
  CError error;
  const int code = ipnscast_publish(client.get(), c_key(world).get(), path.c_str(), IPNSCAST_NUL,
                                    nullptr, &out, error.out());
  INFO(error.message());
  REQUIRE(code == IPNSCAST_OK);
  return COwned<ipnscast_outcome>(out);
}

// Follows the name of this world's key.
inline void c_follow(const COwned<ipnscast_client>& client, const World& world,
                     ipnscast_callback callback = nullptr, void* data = nullptr) {
  const std::string name = world.key.name().to_string();
  CError error;
  const int code =
      ipnscast_follow(client.get(), name.data(), name.size(), callback, data, nullptr, error.out());
  INFO(error.message());
  REQUIRE(code == IPNSCAST_OK);
}

// The next event of names without a callback; null when none comes.
inline COwned<ipnscast_event> c_wait(const COwned<ipnscast_client>& client,
                                     int64_t timeout_ms = 200'000) {
  ipnscast_event* out = nullptr;
  const int code = ipnscast_wait(client.get(), timeout_ms, &out);
  INFO(ipnscast_strerror(code));
  CHECK((code == IPNSCAST_OK || code == IPNSCAST_TIMEOUT));
  return COwned<ipnscast_event>(out);
}

}  // namespace ipnscast::test
