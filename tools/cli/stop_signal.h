#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <thread>

namespace ipnscast::tools {

// Ctrl-C, SIGTERM and a terminal that went away (SIGHUP, unless nohup has it ignored) as something
// to wait for. Made before any thread starts: from then on these signals interrupt nobody and only
// wait() sees them.
class StopSignal {
 public:
  StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;
  ~StopSignal();

  // True when a signal came or stop() was called, false after `timeout`.
  bool wait(std::optional<std::chrono::milliseconds> timeout);
  // Lets this and every later wait() return. Any thread.
  void stop();

 private:
  // constant after construction
  int signals_ = -1;
  int stopped_ = -1;
};

// Calls `action` once, on a thread of its own, when a signal comes; not any more once it is gone.
class OnStopSignal {
 public:
  OnStopSignal(StopSignal& signal, std::function<void()> action);
  OnStopSignal(const OnStopSignal&) = delete;
  OnStopSignal& operator=(const OnStopSignal&) = delete;
  ~OnStopSignal();

 private:
  StopSignal& signal_;
  std::atomic<bool> over_ = false;
  std::thread thread_;
};

}  // namespace ipnscast::tools
