#include "ipnscast/nostr/net/loop_watchdog.h"

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string>

#include "ipnscast/nostr/base/thread_name.h"

namespace ipnscast::nostr::net {
namespace {

// A debugger may stop some threads and let others run.
bool is_traced() {
  constexpr std::string_view kTracer = "TracerPid:";
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(kTracer)) return line.find_first_of("123456789") != line.npos;
  }
  return false;
}

// Whoever stops a terminal, or the reader of a pipe, stops all threads that write to it.
bool is_stderr_blocked() {
  pollfd wanted{STDERR_FILENO, POLLOUT, 0};
  return ::poll(&wanted, 1, 0) == 0;
}

std::optional<clockid_t> clock_of(std::thread& thread) {
  clockid_t clock = 0;
  if (::pthread_getcpuclockid(thread.native_handle(), &clock) != 0) return std::nullopt;
  return clock;
}

// Seconds of processor time on the clock of a thread; -1 where that cannot be told.
double processor_time(std::optional<clockid_t> clock) {
  timespec used{};
  if (!clock || ::clock_gettime(*clock, &used) != 0) return -1;
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

}  // namespace

bool StuckDetector::look(uint64_t rounds, bool held_up) {
  const bool came_round = !last_ || *last_ != rounds;
  last_ = rounds;
  idle_looks_ = came_round || held_up ? 0 : idle_looks_ + 1;
  return idle_looks_ >= kLooks;
}

LoopWatchdog::LoopWatchdog(const std::atomic<uint64_t>& rounds, std::thread& watched,
                           Milliseconds limit)
    : rounds_(rounds), clock_(clock_of(watched)), limit_(limit), thread_([this] { watch(); }) {}

LoopWatchdog::~LoopWatchdog() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  over_changed_.notify_one();
  thread_.join();
}

void LoopWatchdog::watch() {
  set_thread_name("watchdog");
  StuckDetector detector;
  double used_before = 0;
  std::unique_lock lock(mutex_);
  while (!over_changed_.wait_for(lock, limit_ / StuckDetector::kLooks, [this] { return over_; })) {
    const uint64_t rounds = rounds_;
    const bool stuck = detector.look(rounds, is_traced() || is_stderr_blocked());
    if (!stuck) {
      if (detector.idle_looks() == 0) used_before = processor_time(clock_);
      continue;
    }
    char line[256];
    const int size = std::snprintf(
        line, sizeof line,
        "ipnscast: the network thread has not come round for %.1f s and used %.1f s of processor "
        "time meanwhile: the process is aborted. This is a fault of ipnscast; please report it.\n",
        static_cast<double>(limit_.count()) / 1000, processor_time(clock_) - used_before);
    (void)!::write(STDERR_FILENO, line, static_cast<size_t>(size));
    std::abort();
  }
}

}  // namespace ipnscast::nostr::net
