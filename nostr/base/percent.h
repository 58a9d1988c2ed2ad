#pragma once

#include <string>
#include <string_view>

namespace ipnscast {

// Percent-encodes all bytes but letters, digits, "-._~" and those in `plain`. RFC 3986 section 2.
std::string percent_encoded(std::string_view text, std::string_view plain = {});

}  // namespace ipnscast
