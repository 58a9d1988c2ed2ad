#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "ipnscast/sync/devices/device.h"

namespace ipnscast::tools {

nlohmann::ordered_json facts_of(const std::vector<sync::Device>& devices);
// For people: a line for each device, and one below it for each name.
std::vector<std::string> device_rows(const std::vector<sync::Device>& devices);

// "laptop, desk"
std::string labels(const std::vector<sync::Device>& devices);

}  // namespace ipnscast::tools
