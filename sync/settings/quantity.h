#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "ipnscast/nostr/base/result.h"

namespace ipnscast::sync::settings {

// Times and sizes as people write them, in the configuration and on the command line.

// A number and a unit, also several of them: "150ms", "30s", "5m", "48h", "1h30m", "2d". "0" needs
// no unit. Errc::invalid, also beyond a hundred years.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);
// "1m30s", "500ms", "0"; "less than 0" for what no person can have written.
std::string duration_text(std::chrono::nanoseconds duration);

// "512", "512B", "64KiB", "1GiB", "4TiB", and the decimal "10kB", "10MB", "1GB", "1TB".
// Errc::invalid, also beyond 2^63 - 1.
Result<uint64_t> parse_size(std::string_view text);
// "1GiB", "1500B": in the largest unit that divides it.
std::string size_text(uint64_t size);

}  // namespace ipnscast::sync::settings
