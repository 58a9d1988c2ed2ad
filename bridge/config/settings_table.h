#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ipnscast/bridge/config/settings.h"
#include "ipnscast/sync/settings/setting.h"

namespace ipnscast::bridge {

using Setting = sync::settings::Setting<Settings>;

// Every setting there is, section by section: those of an engine and those of the programs around
// it. File, environment, options of commands, checks, samples and the reference come from here.
const std::vector<Setting>& settings_table();

// Null for a key that is none.
const Setting* find_setting(std::string_view key);
// The key of this member of sync::Config; empty when none sets it.
std::string key_of(std::string_view member);

// "relays" and "urls" of "relays.urls".
std::string_view section_of(std::string_view key);
std::string_view name_of(std::string_view key);
// "IPNSCAST_RELAYS_URLS".
std::string variable_of(std::string_view key);

}  // namespace ipnscast::bridge
