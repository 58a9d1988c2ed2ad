#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace ipnscast::tools {

// One line of JSON. Bytes that are no UTF-8 are replaced.
std::string dump(const nlohmann::ordered_json& value);

// Text from outside for a terminal: control characters become '?'.
std::string printable(std::string_view text);

}  // namespace ipnscast::tools
