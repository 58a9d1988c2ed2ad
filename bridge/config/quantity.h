#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "ipnscast/nostr/base/result.h"

namespace ipnscast::bridge {

// Times and sizes as people write them in the configuration.

// A number and a unit, also several of them: "150ms", "30s", "5m", "48h", "1h30m", "2d". "0" needs
// no unit. Errc::parse, also beyond a hundred years.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);
std::string duration_text(std::chrono::milliseconds duration);

// "512", "512B", "64KiB", "1GiB", "4TiB", and the decimal "10kB", "10MB", "1GB", "1TB".
// Errc::parse, also beyond 2^63 - 1.
Result<uint64_t> parse_size(std::string_view text);

}  // namespace ipnscast::bridge
