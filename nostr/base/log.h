#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace ipnscast {

enum class LogLevel { debug, info, warning, error };

// The one log callback of the process; the library itself writes nowhere. Called from any thread,
// must not block for long. Set it before threads start; without one, messages are dropped. Secrets
// never reach it.
using LogSink = std::function<void(LogLevel, std::string_view area, std::string_view text)>;
void set_log_sink(LogSink sink);

// True when some sink is set and wants this level, so that callers can skip building the text.
bool log_enabled(LogLevel level);
void set_log_level(LogLevel least);

// `area` is the part that speaks: "relay", "resolver", "engine".
void log(LogLevel level, std::string_view area, std::string_view text);

inline void log_debug(std::string_view area, std::string_view text) {
  log(LogLevel::debug, area, text);
}
inline void log_info(std::string_view area, std::string_view text) {
  log(LogLevel::info, area, text);
}
inline void log_warning(std::string_view area, std::string_view text) {
  log(LogLevel::warning, area, text);
}
inline void log_error(std::string_view area, std::string_view text) {
  log(LogLevel::error, area, text);
}

}  // namespace ipnscast
