#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ipnscast/bridge/config/config.h"
#include "ipnscast/sync/client.h"
#include "ipnscast/sync/keys/key_store.h"
#include "ipnscast/tools/cli/time_limit.h"

namespace ipnscast::tools {

// The file of --config, or the default one. Errc::invalid when there is no home directory either.
Result<std::filesystem::path> config_file(const Context& context);

// What that file (which has to be there when --config names it), the environment and options of the
// command line set. Errc::invalid, Errc::parse, Errc::io.
Result<bridge::Settings> read_settings(const Context& context);

// What a command needs of this user's configuration, keys and state. Nothing is created, locked or
// connected before a client is opened.
class Session {
 public:
  // load(), reported as a matter of configuration (exit code 2) when it fails.
  static std::optional<Session> open(Context& context);
  // read_settings(); --state, else the default place. Errc::invalid, Errc::parse, Errc::io.
  static Result<Session> load(const Context& context);

  const bridge::Settings& settings() const { return settings_; }
  const std::filesystem::path& state_dir() const { return state_dir_; }
  const sync::KeyStore& keys() const { return keys_; }
  // Those of our record keys that can be had without a password, for records that are to be kept
  // alive. What cannot be read is left out with a warning.
  std::vector<sync::IpnsKey> open_keys() const;
  // The label that `self` means.
  std::string own_label() const;

  // Signs events with the own key, or has a remote signer do it (identity.signer), which is reached
  // the first time; null when there is no key yet. Errc::unsupported for a key that is no Nostr
  // key; else as RemoteSigner::open().
  Result<std::shared_ptr<nostr::Signer>> signer() const;
  // Who proves to relays that ask for it (NIP-42) that the own key is ours; null when there is
  // none, it cannot be had now, or relays.auth is off.
  std::shared_ptr<nostr::Signer> auth_signer() const;
  // The configured relays; `given` (of --relay) instead of them when there are any. Errc::invalid
  // when that makes none.
  Result<std::vector<nostr::RelayUrl>> relays(const std::vector<std::string>& given) const;
  // The same for commands without --relay.
  Result<std::vector<nostr::RelayUrl>> relays() const;
  // What to do about a setting that is missing: "configure relays.urls in "FILE"", and where there
  // is no file what makes one.
  std::string how_to_set(std::string_view keys) const;
  // There is no key to sign with: what to do. Errc::not_found.
  Error no_key() const;
  // What an engine is opened with that asks nobody: without a signer.
  sync::Config local_config() const;
  // What an engine is opened with: own key as signer and, unless others are configured, as the one
  // trusted author.
  Result<sync::Config> sync_config() const;

 private:
  Result<std::shared_ptr<nostr::Signer>> remote_signer() const;
  Session(bridge::Settings settings, std::filesystem::path state_dir,
          std::filesystem::path cache_dir, sync::KeyStore keys, TimeLimit limit)
      : settings_(std::move(settings)),
        state_dir_(std::move(state_dir)),
        cache_dir_(std::move(cache_dir)),
        keys_(std::move(keys)),
        limit_(limit) {}

  bridge::Settings settings_;
  std::filesystem::path file_;  // of the configuration, there or not
  std::filesystem::path state_dir_;
  std::filesystem::path cache_dir_;                   // empty: in the state directory
  std::vector<std::filesystem::path> private_paths_;  // besides these two
  sync::KeyStore keys_;
  TimeLimit limit_;
  mutable std::shared_ptr<nostr::Signer> remote_;  // once it is connected
};

}  // namespace ipnscast::tools
