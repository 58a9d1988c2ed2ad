#include "ipnscast/tools/session/config_secrecy.h"

#include <sys/stat.h>

#include <algorithm>
#include <optional>
#include <string>

#include "ipnscast/bridge/config/config.h"
#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/base/text/shown_text.h"

namespace ipnscast::tools {
namespace {

// The key that holds a secret; empty when there is none.
std::string secret_key_of(const bridge::Settings& settings) {
  if (holds_secret(settings.identity.signer)) return "identity.signer";
  if (holds_secret(settings.relays.proxy)) return "relays.proxy";
  const auto& gateways = settings.gateways;
  for (const auto* list : {&gateways.nodes, &gateways.public_gateways, &gateways.slow}) {
    const bool secret = std::any_of(list->begin(), list->end(), [](const auto& gateway) {
      return !gateway.auth.empty() || holds_secret(gateway.url);
    });
    if (secret) return "gateways";
  }
  return {};
}

}  // namespace

void warn_of_open_config(const std::filesystem::path& file) {
  struct stat about {};
  if (::stat(file.c_str(), &about) != 0 || !S_ISREG(about.st_mode)) return;
  if ((about.st_mode & (S_IRWXG | S_IRWXO)) == 0) return;
  const auto none = [](const std::string&) { return std::optional<std::string>(); };
  const auto settings = bridge::load_settings(file, false, none);
  const std::string key = settings ? secret_key_of(*settings) : std::string();
  if (key.empty()) return;
  log_warning("session", "\"" + file.string() + "\" holds a secret (" + key +
                             ") and others can read it: close it with chmod 600");
}

}  // namespace ipnscast::tools
