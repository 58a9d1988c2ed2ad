#include "ipnscast/tools/cli/command.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <nlohmann/json.hpp>

#include "ipnscast/nostr/base/text/shown_text.h"

namespace ipnscast::tools {
namespace {

void print_error(const Context& context, std::string_view code, std::string_view message) {
  std::string line;
  if (context.json) {
    nlohmann::ordered_json object = {
        {"error", {{"code", code}, {"message", without_secrets(message)}}}};
    if (context.displaced > 0) object["displaced"] = context.displaced;
    line =
        shown_text(object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  } else {
    line = "ipnscast: " + shown_text(without_secrets(message));
  }
  std::fflush(stdout);
  std::fprintf(stderr, "%s\n", line.c_str());
}

struct Unit {
  std::string_view name;
  int64_t milliseconds;
};
constexpr Unit kUnits[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
constexpr int64_t kLongest = int64_t{100} * 366 * 86'400'000;  // a hundred years

}  // namespace

Exit exit_for(const Error& error) {
  switch (error.code) {
    case Errc::invalid:
      return Exit::usage;
    case Errc::timeout:
      return Exit::deadline;
    case Errc::unreachable:
    case Errc::busy:
      return Exit::unreachable;
    default:
      return Exit::no;
  }
}

void report(Context& context, const Error& error) {
  print_error(context, to_string(error.code), error.message);
  context.exit = exit_for(error);
}

void report_usage(Context& context, std::string_view message) {
  // CLI11 may put several lines into one message.
  std::string line(message);
  std::replace(line.begin(), line.end(), '\n', ' ');
  print_error(context, "usage", line);
  context.exit = Exit::usage;
}

void print_note(std::string_view text) {
  std::fflush(stdout);
  std::fprintf(stderr, "ipnscast: %s\n", shown_text(text).c_str());
}

void print_line(std::string_view line) { print_lines(shown_text(line)); }

void print_lines(std::string_view shown) {
  ::flockfile(stdout);  // handlers of several names print side by side
  std::fwrite(shown.data(), 1, shown.size(), stdout);
  std::fputc('\n', stdout);
  std::fflush(stdout);
  ::funlockfile(stdout);
}

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const auto wrong = [&] {
    return fail(Errc::invalid,
                "\"" + std::string(text) + "\": want a time such as 200ms, 30s, 5m or 48h");
  };
  int64_t total = 0;
  const char* at = text.data();
  const char* const end = at + text.size();
  if (at == end) return wrong();
  while (at != end) {
    uint32_t count = 0;
    const auto [rest, failed] = std::from_chars(at, end, count);
    if (failed != std::errc()) return wrong();
    const char* unit_end = rest;
    while (unit_end != end && *unit_end >= 'a' && *unit_end <= 'z') ++unit_end;
    const std::string_view name(rest, static_cast<size_t>(unit_end - rest));
    const auto* const unit = std::find_if(std::begin(kUnits), std::end(kUnits),
                                          [&](const Unit& known) { return known.name == name; });
    if (unit == std::end(kUnits)) return wrong();
    total += int64_t{count} * unit->milliseconds;
    if (total > kLongest) return wrong();
    at = unit_end;
  }
  return std::chrono::milliseconds(total);
}

}  // namespace ipnscast::tools
