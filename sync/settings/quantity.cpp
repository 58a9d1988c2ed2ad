#include "ipnscast/sync/settings/quantity.h"

#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace ipnscast::sync::settings {
namespace {

constexpr int64_t kHundredYears = int64_t{100} * 366 * 86'400'000;

// Takes digits off the front. Nothing when there are none or they are too many.
std::optional<uint64_t> take_number(std::string_view& text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return value;
}

std::string_view take_unit(std::string_view& text) {
  const size_t end = std::min(text.find_first_of("0123456789"), text.size());
  const auto unit = text.substr(0, end);
  text.remove_prefix(end);
  return unit;
}

constexpr std::array<std::pair<std::string_view, int64_t>, 5> kTimeUnits = {
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};

constexpr std::array<std::pair<std::string_view, uint64_t>, 10> kSizeUnits = {
    {{"", 1},
     {"B", 1},
     {"kB", 1'000},
     {"MB", 1'000'000},
     {"GB", 1'000'000'000},
     {"TB", 1'000'000'000'000},
     {"KiB", uint64_t{1} << 10},
     {"MiB", uint64_t{1} << 20},
     {"GiB", uint64_t{1} << 30},
     {"TiB", uint64_t{1} << 40}}};

}  // namespace

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const auto refused = [&] {
    return fail(Errc::invalid,
                "\"" + std::string(text) + "\": want a time such as 200ms, 30s, 5m or 48h");
  };
  if (text == "0") return std::chrono::milliseconds(0);
  if (text.empty()) return refused();
  int64_t total = 0;
  for (auto rest = text; !rest.empty();) {
    const auto number = take_number(rest);
    const auto name = take_unit(rest);
    int64_t unit = 0;
    for (const auto& [known, milliseconds] : kTimeUnits) {
      if (known == name) unit = milliseconds;
    }
    if (!number || unit == 0 || *number > static_cast<uint64_t>(kHundredYears / unit))
      return refused();
    total += static_cast<int64_t>(*number) * unit;
    if (total > kHundredYears) return refused();
  }
  return std::chrono::milliseconds(total);
}

std::string duration_text(std::chrono::nanoseconds duration) {
  if (duration.count() <= 0) return duration.count() == 0 ? "0" : "less than 0";
  constexpr int64_t kMillisecond = 1'000'000;
  std::string out;
  int64_t left = duration.count();
  for (const auto& [name, milliseconds] : kTimeUnits) {
    const int64_t unit = milliseconds * kMillisecond;
    // "48h" reads better than "2d".
    if (name == "d" || left < unit) continue;
    out += std::to_string(left / unit) + std::string(name);
    left %= unit;
  }
  return left == 0 ? out : out + std::to_string(left) + "ns";
}

Result<uint64_t> parse_size(std::string_view text) {
  const auto refused = [&] {
    return fail(Errc::invalid,
                "\"" + std::string(text) + "\": want a size such as 64KiB, 500MB or 1GiB");
  };
  auto rest = text;
  const auto number = take_number(rest);
  if (!number) return refused();
  for (const auto& [name, bytes] : kSizeUnits) {
    if (name != rest) continue;
    if (*number > static_cast<uint64_t>(INT64_MAX) / bytes) return refused();
    return *number * bytes;
  }
  return refused();
}

std::string size_text(uint64_t size) {
  std::pair<std::string_view, uint64_t> best{"B", 1};
  for (const auto& unit : kSizeUnits) {
    if (size > 0 && size % unit.second == 0 && unit.second > best.second) best = unit;
  }
  return std::to_string(size / best.second) + std::string(best.first);
}

}  // namespace ipnscast::sync::settings
