#include "ipnscast/tools/session/session.h"

#include <set>

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/nip/local_signer.h"
#include "ipnscast/nostr/nip/nip42.h"
#include "ipnscast/nostr/nip/nip65.h"
#include "ipnscast/nostr/signer/remote_signer.h"
#include "ipnscast/tools/cli/logging.h"
#include "ipnscast/tools/cli/password.h"
#include "ipnscast/tools/session/config_secrecy.h"
#include "ipnscast/tools/session/state_directory.h"

namespace ipnscast::tools {
namespace {

// What we ask a remote signer to be allowed (NIP-46): hints, AUTH, retractions, relay
// lists, private hints.
std::string permissions(const sync::Config& config) {
  std::set<int> kinds(config.kinds.begin(), config.kinds.end());
  kinds.insert(config.public_kinds.begin(), config.public_kinds.end());
  kinds.insert({5, nostr::kAuthKind, nostr::kRelayListKind});
  std::string out = "nip44_encrypt,nip44_decrypt";
  for (const int kind : kinds) out += ",sign_event:" + std::to_string(kind);
  return out;
}

}  // namespace

Result<std::filesystem::path> config_file(const Context& context) {
  if (!context.config_file.empty()) return std::filesystem::path(context.config_file);
  return bridge::default_config_file(bridge::process_environment());
}

Result<bridge::Settings> read_settings(const Context& context) {
  const auto file = config_file(context);
  if (!file) return fail(file.error());
  return bridge::load_settings(*file, !context.config_file.empty(), bridge::process_environment(),
                               context.settings);
}

Result<Session> Session::load(const Context& context) {
  const auto file = config_file(context);
  if (!file) return fail(file.error());
  auto settings = read_settings(context);
  if (!settings) return fail(settings.error());
  start_logging(context, settings->log);
  warn_of_open_config(*file);
  auto state = state_directory(context);
  if (!state) return fail(state.error());
  const auto keys = keys_directory(context);
  if (!keys) return fail(keys.error());
  Session out(std::move(*settings), std::move(*state), cache_directory(context),
              sync::KeyStore(*keys, password_source(context)), TimeLimit(context));
  out.file_ = *file;
  for (const std::string& path : {file->string(), context.password_file, keys->string()}) {
    if (!path.empty()) out.private_paths_.emplace_back(path);
  }
  return out;
}

std::optional<Session> Session::open(Context& context) {
  auto session = load(context);
  if (session) return std::move(*session);
  report(context, session.error());
  context.exit = Exit::usage;
  return std::nullopt;
}

std::string Session::own_label() const { return settings_.key.empty() ? "self" : settings_.key; }

std::vector<sync::IpnsKey> Session::open_keys() const {
  std::vector<sync::IpnsKey> out;
  const auto entries = keys_.list();
  if (!entries) {
    log_warning("session", entries.error().message);
    return out;
  }
  for (const auto& entry : *entries) {
    const auto encrypted = keys_.is_encrypted(entry.label);
    if (encrypted && *encrypted) continue;
    const auto stored = keys_.load(entry.label);
    auto key = stored ? stored->ipns_key() : Result<sync::IpnsKey>(fail(stored.error()));
    if (key) {
      out.push_back(std::move(*key));
    } else {
      log_warning("session", "key " + entry.label + ": " + key.error().message);
    }
  }
  return out;
}

Result<std::shared_ptr<nostr::Signer>> Session::remote_signer() const {
  if (remote_) return remote_;
  auto uri = nostr::parse_bunker_uri(settings_.signer);
  if (!uri) return fail(Errc::invalid, "identity.signer: " + uri.error().message);
  nostr::RemoteSignerOptions options;
  options.state_file = nostr::remote_signer_file(state_dir_, *uri);
  options.access = settings_.engine.access;
  options.session.perms = permissions(settings_.engine);
  const Milliseconds usual = options.session.timeout;
  options.session.timeout = std::min(usual, limit_.left(usual));
  options.on_auth_url = [](const std::string& url) {
    print_note("the remote signer asks you to agree at " + url);
  };
  auto opened = nostr::RemoteSigner::open(std::move(*uri), std::move(options));
  if (!opened) return fail(opened.error());
  remote_ = std::move(*opened);
  return remote_;
}

Result<std::shared_ptr<nostr::Signer>> Session::signer() const {
  if (settings_.signer.starts_with("bunker:")) return remote_signer();
  const auto key = keys_.load(own_label());
  // The default key may be absent: reading needs none.
  if (!key && key.error().code == Errc::not_found && own_label() == "self")
    return std::shared_ptr<nostr::Signer>();
  if (!key) return fail(key.error());
  auto secret = key->nostr_key();
  if (!secret && own_label() == "self" && secret.error().code == Errc::unsupported) {
    log_info("session", "key self signs records and no Nostr events: no hints, no AUTH");
    return std::shared_ptr<nostr::Signer>();
  }
  if (!secret) return fail(secret.error().within("key " + own_label()));
  return nostr::make_local_signer(std::move(*secret));
}

std::shared_ptr<nostr::Signer> Session::auth_signer() const {
  if (!settings_.engine.auth) return nullptr;
  auto own = signer();
  if (own) return std::move(*own);
  log_warning("session",
              "relays that ask who we are (NIP-42) get no answer: " + own.error().message);
  return nullptr;
}

Result<std::vector<nostr::RelayUrl>> Session::relays() const {
  if (!settings_.engine.relays.empty()) return settings_.engine.relays;
  return fail(Errc::invalid, "no relay: " + how_to_set("relays.urls"));
}

Result<std::vector<nostr::RelayUrl>> Session::relays(const std::vector<std::string>& given) const {
  std::vector<nostr::RelayUrl> out =
      given.empty() ? settings_.engine.relays : std::vector<nostr::RelayUrl>();
  for (const std::string& text : given) {
    auto url = nostr::RelayUrl::parse(text);
    if (!url) return fail(url.error());
    out.push_back(std::move(*url));
  }
  if (out.empty())
    return fail(Errc::invalid, "no relay: name one with --relay, or " + how_to_set("relays.urls"));
  return out;
}

std::string Session::how_to_set(std::string_view keys) const {
  const std::string out = "configure " + std::string(keys) + " in \"" + file_.string() + "\"";
  std::error_code unknown;
  return std::filesystem::exists(file_, unknown) ? out : out + ", which \"ipnscast init\" makes";
}

Error Session::no_key() const {
  return {Errc::not_found,
          "no key to sign with: make one with \"ipnscast key generate " + own_label() + "\""};
}

sync::Config Session::local_config() const {
  sync::Config config = settings_.engine;
  config.state_dir = state_dir_;
  config.cache_dir = cache_dir_;
  config.private_paths = private_paths_;
  return config;
}

Result<sync::Config> Session::sync_config() const {
  sync::Config config = local_config();
  auto own = signer();
  if (!own) return fail(own.error());
  config.signer = std::move(*own);
  if (config.trusted_authors.empty() && config.signer)
    config.trusted_authors.push_back(config.signer->public_key());
  return config;
}

}  // namespace ipnscast::tools
