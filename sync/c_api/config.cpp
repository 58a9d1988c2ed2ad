#include "ipnscast/sync/c_api/config.h"

#include <algorithm>

#include "ipnscast/nostr/nip/local_signer.h"
#include "ipnscast/sync/c_api/call.h"
#include "ipnscast/sync/c_api/given.h"
#include "ipnscast/sync/c_api/key.h"
#include "ipnscast/sync/config_settings.h"

using namespace ipnscast;
using namespace ipnscast::c_api;

namespace {

// Folders, which the configuration file does not name.
std::filesystem::path* folder_of(sync::Config& config, std::string_view key) {
  if (key == "state_dir") return &config.state_dir;
  if (key == "cache_dir") return &config.cache_dir;
  return nullptr;
}

Status set_from_table(sync::Config& config, std::string_view key, std::string_view text) {
  const auto& all = sync::config_settings();
  const auto row =
      std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.is.key == key; });
  if (row == all.end())
    return fail(Errc::invalid, "\"" + std::string(key) +
                                   "\" is no setting of a client: \"ipnscast config\" lists all "
                                   "settings, and ipnscast.h says which of them a client has");
  const auto value = sync::settings::value_from_text(row->is.form, text);
  const Status stored = value ? row->store(config, *value) : fail(value.error());
  if (!stored) return fail(stored.error().within(key));
  return {};
}

}  // namespace

int ipnscast_config_new(ipnscast_config** out) {
  return answer(nullptr, [&]() -> Status {
    if (auto there = needed(out, "out"); !there) return there;
    *out = nullptr;
    *out = new ipnscast_config;
    return {};
  });
}

int ipnscast_config_set(ipnscast_config* config, const char* key, size_t key_length,
                        const char* value, size_t value_length, ipnscast_error** error) {
  return answer(error, [&]() -> Status {
    if (auto there = needed(config, "config"); !there) return there;
    const auto name = needed_text(key, key_length, "key");
    if (!name) return fail(name.error());
    if (auto* const folder = folder_of(config->config, *name)) {
      auto path = path_in(value, value_length, *name);
      if (!path) return fail(path.error());
      *folder = std::move(*path);
      return {};
    }
    const auto text = text_in(value, value_length, *name);
    if (!text) return fail(text.error());
    return set_from_table(config->config, *name, *text);
  });
}

int ipnscast_config_set_key(ipnscast_config* config, const ipnscast_key* key,
                            ipnscast_error** error) {
  return answer(error, [&]() -> Status {
    if (auto there = needed(config, "config"); !there) return there;
    if (key == nullptr) {
      config->config.signer = nullptr;
      return {};
    }
    auto secret = key->stored.nostr_key();
    if (!secret) return fail(secret.error());
    config->config.signer = nostr::make_local_signer(std::move(*secret));
    return {};
  });
}

void ipnscast_config_free(ipnscast_config* config) { delete config; }
