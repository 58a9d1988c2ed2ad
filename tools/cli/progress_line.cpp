#include "ipnscast/tools/cli/progress_line.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "ipnscast/nostr/base/text/shown_text.h"

namespace ipnscast::tools {
namespace {

constexpr const char* kClear = "\r\x1b[K";
constexpr std::chrono::seconds kPlainLines{10};

size_t terminal_width() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

}  // namespace

ProgressLine::ProgressLine(bool quiet) : active_(!quiet), terminal_(::isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() {
  if (shown_) std::fputs(kClear, stderr);
}

void ProgressLine::show(const std::string& text) {
  if (!active_) return;
  const std::lock_guard lock(mutex_);
  if (ended_) return;
  if (!terminal_) {
    const auto now = std::chrono::steady_clock::now();
    if (now < last_line_ + kPlainLines) return;
    last_line_ = now;
    std::fputs((shown_text(text) + "\n").c_str(), stderr);
    return;
  }
  const std::string line = kClear + shown_text(text).substr(0, terminal_width() - 1);
  std::fputs(line.c_str(), stderr);
  std::fflush(stderr);
  shown_ = true;
}

void ProgressLine::clear() {
  const std::lock_guard lock(mutex_);
  if (shown_) std::fputs(kClear, stderr);
  shown_ = false;
}

void ProgressLine::end() {
  clear();
  const std::lock_guard lock(mutex_);
  ended_ = true;
}

std::string byte_count(uint64_t bytes) {
  constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  for (; value >= 1000; value /= 1000) ++unit;
  char text[32];
  std::snprintf(text, sizeof(text), unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text;
}

std::string Rate::of(uint64_t bytes) const {
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - started_;
  return byte_count(
             static_cast<uint64_t>(static_cast<double>(bytes) / std::max(passed.count(), 0.001))) +
         "/s";
}

}  // namespace ipnscast::tools
