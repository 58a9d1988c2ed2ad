#include "ipnscast/tools/session/config_secrecy.h"

#include <sys/stat.h>

#include <string>

#include "ipnscast/bridge/config/config.h"
#include "ipnscast/nostr/base/log.h"
#include "ipnscast/sync/settings/value.h"

namespace ipnscast::tools {
namespace {

// The key that holds a secret; empty when there is none.
std::string secret_key_of(const bridge::Settings& settings) {
  using sync::settings::to_toml;
  for (const auto& [key, given] : settings.given) {
    if (to_toml(given.value) != to_toml(sync::settings::without_secrets(given.value))) return key;
  }
  return {};
}

}  // namespace

std::string secret_others_can_read(const std::filesystem::path& file) {
  struct stat about {};
  if (::stat(file.c_str(), &about) != 0 || !S_ISREG(about.st_mode)) return {};
  if ((about.st_mode & (S_IRWXG | S_IRWXO)) == 0) return {};
  const auto settings = bridge::load_settings(file, false, {});
  return settings ? secret_key_of(*settings) : std::string();
}

void warn_of_open_config(const std::filesystem::path& file) {
  const std::string key = secret_others_can_read(file);
  if (key.empty()) return;
  log_warning("session", "\"" + file.string() + "\" holds a secret (" + key +
                             ") and others can read it: close it with chmod 600");
}

}  // namespace ipnscast::tools
