#include "tools/session.h"

#include "tools/password.h"
#include "tools/state_directory.h"

namespace ipnscast::tools {

Result<std::filesystem::path> config_file(const Context& context) {
  if (!context.config_file.empty()) return std::filesystem::path(context.config_file);
  return bridge::default_config_file(bridge::process_environment());
}

Result<Session> Session::load(const Context& context) {
  const auto environment = bridge::process_environment();
  const auto file = config_file(context);
  if (!file) return fail(file.error());
  auto settings = bridge::load_settings(*file, !context.config_file.empty(), environment);
  if (!settings) return fail(settings.error());
  auto state = state_directory(context);
  if (!state) return fail(state.error());
  return Session(std::move(*settings), std::move(*state), cache_directory(context),
                 password_source(context));
}

std::optional<Session> Session::open(Context& context) {
  auto session = load(context);
  if (session) return std::move(*session);
  report(context, session.error());
  context.exit = Exit::usage;
  return std::nullopt;
}

std::string Session::own_label() const {
  return settings_.identity.key.empty() ? "self" : settings_.identity.key;
}

Result<std::shared_ptr<nostr::Signer>> Session::signer() const {
  if (settings_.identity.signer.starts_with("bunker://"))
    return fail(Errc::unsupported, "identity.signer: remote signers are not supported yet");
  const auto key = keys_.load(own_label());
  // The default key may be absent: reading needs none.
  if (!key && key.error().code == Errc::not_found && own_label() == "self")
    return std::shared_ptr<nostr::Signer>();
  if (!key) return fail(key.error());
  auto secret = key->nostr_key();
  if (!secret) return fail(secret.error().within("key " + own_label()));
  return nostr::make_local_signer(std::move(*secret));
}

Result<std::vector<nostr::RelayUrl>> Session::relays(const std::vector<std::string>& given) const {
  std::vector<nostr::RelayUrl> out;
  for (const std::string& text : given.empty() ? settings_.relays.urls : given) {
    auto url = nostr::RelayUrl::parse(text);
    if (!url) return fail(url.error().within("relay"));
    out.push_back(std::move(*url));
  }
  if (out.empty())
    return fail(Errc::invalid, "no relay: name one with --relay, or configure relays.urls");
  return out;
}

Result<sync::Config> Session::sync_config() const {
  auto config = bridge::to_sync_config(settings_);
  if (!config) return fail(config.error());
  config->state_dir = state_dir_;
  config->cache_dir = cache_dir_;
  auto own = signer();
  if (!own) return fail(own.error());
  config->signer = std::move(*own);
  if (config->trusted_authors.empty() && config->signer)
    config->trusted_authors.push_back(config->signer->public_key());
  return config;
}

}  // namespace ipnscast::tools
