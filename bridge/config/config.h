#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "ipnscast/bridge/config/options.h"
#include "ipnscast/sync/client.h"

namespace ipnscast::bridge {

// Reads the value of an environment variable; nothing when it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
Environment process_environment();

// The settings that a TOML text and the environment (IPNSCAST_SECTION_KEY) make; the environment
// goes before the text, the defaults come last. Errc::parse for what is no TOML, with the line;
// Errc::invalid for an unknown key, with the nearest known one, for a value that a key does not
// take, and for values that contradict each other.
Result<Settings> parse_settings(std::string_view toml, const Environment& environment);

// The same from a file. One that is absent counts as empty unless `required`. Errc::io,
// Errc::too_large beyond 16 MiB.
Result<Settings> load_settings(const std::filesystem::path& file, bool required,
                               const Environment& environment);

// "IPNSCAST_RELAYS_URLS".
std::string environment_name(const Option& option);

// How many letters have to be changed, added or taken out to make one text of the other.
size_t edit_distance(std::string_view a, std::string_view b);

// The known name that is closest to `unknown` by edit distance.
std::string nearest(std::string_view unknown, const std::vector<std::string>& known);

// How its relays are reached. Errc::invalid for a proxy or a key pin that does not
// parse.
Result<nostr::net::Access> relay_access(const Settings& settings);

// What waits for relays at most.
nostr::OutboxLimits outbox_limits(const PublishSettings& settings);

// Errc::invalid for a relay that does not parse.
Result<nostr::Quorum> to_quorum(const QuorumSetting& setting);

// What an engine needs of it. `state_dir`, `cache_dir` and `signer` are the caller's to fill in.
// Errc::invalid for a relay or an author that does not parse.
Result<sync::Config> to_sync_config(const Settings& settings);

// $XDG_CONFIG_HOME/ipnscast/config.toml, else ~/.config/ipnscast/config.toml. Errc::invalid when
// there is no home either.
Result<std::filesystem::path> default_config_file(const Environment& environment);

}  // namespace ipnscast::bridge
