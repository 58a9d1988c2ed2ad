#include "ipnscast/nostr/base/log.h"

#include <atomic>
#include <memory>
#include <mutex>

namespace ipnscast {
namespace {

struct Sink {
  std::mutex mutex;
  std::shared_ptr<const LogSink> current;  // guarded by mutex
  std::atomic<bool> set = false;
  std::atomic<LogLevel> least = LogLevel::info;
};

Sink& sink() {
  static Sink instance;
  return instance;
}

}  // namespace

void set_log_sink(LogSink callback) {
  std::lock_guard lock(sink().mutex);
  sink().set = callback != nullptr;
  sink().current = callback ? std::make_shared<const LogSink>(std::move(callback)) : nullptr;
}

void set_log_level(LogLevel least) { sink().least = least; }

bool log_enabled(LogLevel level) { return sink().set && level >= sink().least; }

void log(LogLevel level, std::string_view area, std::string_view text) {
  if (!log_enabled(level)) return;
  std::shared_ptr<const LogSink> current;
  {
    std::lock_guard lock(sink().mutex);
    current = sink().current;
  }
  if (current) (*current)(level, area, text);
}

}  // namespace ipnscast
