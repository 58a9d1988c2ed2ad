#include "ipnscast/tools/cli/logging.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/nostr/base/text/shown_text.h"
#include "ipnscast/tools/cli/json_text.h"
#include "ipnscast/tools/cli/screen.h"

namespace ipnscast::tools {
namespace {

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

std::string name_of(LogLevel level) {
  const auto name = spdlog::level::to_string_view(level_of(level));
  return {name.data(), name.size()};
}

}  // namespace

LogLevel asked_level(const Context& context) {
  if (context.verbose > 1) return LogLevel::debug;
  return context.verbose == 1 || context.daemon ? LogLevel::info : LogLevel::warning;
}

void start_logging(const Context& context, const bridge::LogSettings& settings) {
  const LogLevel asked = asked_level(context);
  LogLevel least = asked;
  if (settings.level != LogLevel::info) least = settings.level;
  if (context.verbose > 0) least = std::min(least, asked);
  start_logging(least, context.json || settings.json);
}

void start_logging(LogLevel least, bool json) {
  static const auto logger = spdlog::stderr_color_mt(
      "ipnscast", colours_unwanted() ? spdlog::color_mode::never : spdlog::color_mode::automatic);
  logger->set_pattern(json ? "%v" : "%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
  logger->set_level(spdlog::level::debug);
  logger->flush_on(spdlog::level::debug);
  set_log_level(least);
  set_log_sink([json](LogLevel level, std::string_view area, std::string_view whole) {
    const std::string text = without_secrets(whole);
    if (!json) return logger->log(level_of(level), "{}: {}", area, shown_text(text));
    const nlohmann::ordered_json line = {{"time", rfc3339(system_now().wall)},
                                         {"level", name_of(level)},
                                         {"area", area},
                                         {"text", text}};
    logger->log(level_of(level), shown_text(dump(line)));
  });
}

}  // namespace ipnscast::tools
