#include "tools/logging.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "nostr/base/log.h"

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

}  // namespace

void start_logging(int verbose) {
  const auto logger = spdlog::stderr_color_mt("ipnscast");
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
  logger->set_level(spdlog::level::debug);
  logger->flush_on(spdlog::level::debug);
  set_log_level(verbose == 0 ? LogLevel::warning : verbose == 1 ? LogLevel::info : LogLevel::debug);
  set_log_sink([logger](LogLevel level, std::string_view area, std::string_view text) {
    logger->log(level_of(level), "{}: {}", area, text);
  });
}

}  // namespace ipnscast::tools
