#pragma once

#include <vector>

#include "ipnscast/sync/config.h"
#include "ipnscast/sync/settings/setting.h"

namespace ipnscast::sync {

// Every setting of an engine that people make, each declared here and nowhere else: by which key of
// the file, what it takes, within which bounds. Defaults are those of Config.
const std::vector<settings::Setting<Config>>& config_settings();

}  // namespace ipnscast::sync
