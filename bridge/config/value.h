#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "ipnscast/bridge/config/options.h"

namespace ipnscast::bridge {

// Stores a value into the setting that it is for, checked against what the option takes.
// Errc::invalid with what is wanted. One overload for each type of setting.
Status store(bool& target, const Option& option, const Value& value);
Status store(uint64_t& target, const Option& option, const Value& value);  // a number or a size
Status store(std::optional<int>& target, const Option& option, const Value& value);
Status store(std::string& target, const Option& option, const Value& value);  // a text or a choice
Status store(std::chrono::milliseconds& target, const Option& option, const Value& value);
Status store(std::vector<int>& target, const Option& option, const Value& value);
Status store(std::vector<std::string>& target, const Option& option, const Value& value);
Status store(std::vector<GatewaySetting>& target, const Option& option, const Value& value);
Status store(QuorumSetting& target, const Option& option, const Value& value);
// "5s" or "5s to 10m".
Status store_range(std::chrono::milliseconds& least, std::chrono::milliseconds& most,
                   const Value& value);

}  // namespace ipnscast::bridge
