#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

namespace ipnscast::tools {

// One line on standard error that is written over again and again while something runs, and goes
// away with this. Where standard error is no terminal, a plain line every ten seconds instead.
// Nothing is shown when `quiet`. Thread-safe.
class ProgressLine {
 public:
  explicit ProgressLine(bool quiet);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // Shortened to the width of the terminal.
  void show(const std::string& text);
  // Takes it away until the next show().
  void clear();
  // Takes it away for good.
  void end();
  bool active() const { return active_; }

 private:
  // constant after construction
  const bool active_;
  const bool terminal_;

  std::mutex mutex_;
  // guarded by mutex_
  std::chrono::steady_clock::time_point last_line_ = std::chrono::steady_clock::now();
  bool shown_ = false;
  bool ended_ = false;
};

// "12.3 MB" and the like; powers of ten.
std::string byte_count(uint64_t bytes);

// Bytes a second since it was made, as "4.5 MB/s".
class Rate {
 public:
  std::string of(uint64_t bytes) const;

 private:
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

}  // namespace ipnscast::tools
