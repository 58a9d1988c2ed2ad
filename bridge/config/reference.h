#pragma once

#include <string>

#include "ipnscast/bridge/config/settings_table.h"

namespace ipnscast::bridge {

// What is written about settings, made from their table. Secrets are shown as "***".

// What a setting is now, and where it was set: empty for a default.
struct Shown {
  sync::settings::Value value;
  std::string where;
};
Shown shown(const Setting& setting, const Settings& settings);

// A configuration file with every key, what it means, and what it is in these settings. With
// Settings(), a sample that changes nothing.
std::string file_text(const Settings& settings);

// All about one key, in lines for people. Without settings, what it is now is left out.
std::string explain(const Setting& setting, const Settings* settings);

}  // namespace ipnscast::bridge
