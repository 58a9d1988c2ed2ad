#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ipnscast::bridge {

// The known word that is closest to `unknown` by edit distance; empty when none is known.
std::string nearest(std::string_view unknown, const std::vector<std::string>& known);

// The same, where the two are so alike that one can be the other misspelt; else empty.
std::string misspelt(std::string_view unknown, const std::vector<std::string>& known);

// How to see the keys of a section that exists.
std::string keys_of_section(std::string_view section);

// ": did you mean KEY?" for a key of the configuration that does not exist, when some other is
// likely; else where all are listed.
std::string suggest_key(std::string_view key);

}  // namespace ipnscast::bridge
