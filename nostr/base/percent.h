#pragma once

#include <string>
#include <string_view>

namespace ipnscast {

// Percent-encodes all bytes but letters, digits, "-._~" and those in `plain`. RFC 3986 section 2.
std::string percent_encoded(std::string_view text, std::string_view plain = {});

// The bytes that %XX stands for. A '%' that begins no such pair stands for itself.
std::string percent_decoded(std::string_view text);

}  // namespace ipnscast
