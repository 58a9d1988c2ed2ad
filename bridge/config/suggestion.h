#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ipnscast::bridge {

// The known word that `unknown` is likely to be, misspelt: at a few letters' distance. Else empty.
std::string misspelt(std::string_view unknown, const std::vector<std::string>& known);

// How to see the keys of a section that exists.
std::string keys_of_section(std::string_view section);

// ": did you mean KEY?" for a key of the configuration that does not exist, when some other is
// likely; else where all are listed.
std::string suggest_key(std::string_view key);

}  // namespace ipnscast::bridge
