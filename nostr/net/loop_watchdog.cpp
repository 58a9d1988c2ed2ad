#include "ipnscast/nostr/net/loop_watchdog.h"

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

// Seconds of processor time that the thread has used; -1 where that cannot be told.
double processor_time(std::thread& thread) {
  clockid_t clock = 0;
  timespec used{};
  if (::pthread_getcpuclockid(thread.native_handle(), &clock) != 0) return -1;
  if (::clock_gettime(clock, &used) != 0) return -1;
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

}  // namespace

bool StuckDetector::look(uint64_t rounds, bool traced) {
  const bool came_round = !last_ || *last_ != rounds;
  last_ = rounds;
  idle_looks_ = came_round || traced ? 0 : idle_looks_ + 1;
  return idle_looks_ >= kLooks;
}

LoopWatchdog::LoopWatchdog(const std::atomic<uint64_t>& rounds, std::thread& watched,
                           Milliseconds limit)
    : rounds_(rounds), watched_(watched), limit_(limit), thread_([this] { watch(); }) {}

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
    const bool stuck = detector.look(rounds, is_traced());
    if (!stuck) {
      if (detector.idle_looks() == 0) used_before = processor_time(watched_);
      continue;
    }
    char line[256];
    const int size = std::snprintf(
        line, sizeof line,
        "ipnscast: the network thread has not come round for %.1f s and used %.1f s of processor "
        "time meanwhile: the process is aborted. This is a fault of ipnscast; please report it.\n",
        static_cast<double>(limit_.count()) / 1000, processor_time(watched_) - used_before);
    (void)!::write(STDERR_FILENO, line, static_cast<size_t>(size));
    std::abort();
  }
}

}  // namespace ipnscast::nostr::net
