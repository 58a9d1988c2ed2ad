#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "ipnscast/bridge/config/environment.h"
#include "ipnscast/bridge/config/settings.h"

namespace ipnscast::bridge {

// The settings that a TOML text, the environment (IPNSCAST_SECTION_KEY) and options of a command
// make; options go before the environment, it goes before the text, the defaults come last.
// Errc::parse for what is no TOML, with the line; Errc::invalid for an unknown key or a misspelt
// variable, with the one that was probably meant, for a value that a key does not take, and for
// values that contradict each other; it begins with the place that is at fault, in `file` with that
// file's name.
Result<Settings> parse_settings(std::string_view toml, const Environment& environment,
                                const Flags& flags = {}, const std::string& file = {});

// The same from a file. One that is absent counts as empty unless `required`. Errc::io,
// Errc::too_large beyond 16 MiB.
Result<Settings> load_settings(const std::filesystem::path& file, bool required,
                               const Environment& environment, const Flags& flags = {});

// $XDG_CONFIG_HOME/ipnscast/config.toml, else ~/.config/ipnscast/config.toml. Errc::invalid when
// there is no home either.
Result<std::filesystem::path> default_config_file(const Environment& environment);

}  // namespace ipnscast::bridge
