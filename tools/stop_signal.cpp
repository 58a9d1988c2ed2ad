#include "tools/stop_signal.h"

#include <cerrno>
#include <ctime>

namespace ipnscast::tools {

StopSignal::StopSignal() {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGINT);
  sigaddset(&signals_, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
}

bool StopSignal::wait(std::optional<std::chrono::milliseconds> timeout) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + timeout.value_or(std::chrono::milliseconds(0));
  while (true) {
    if (!timeout) {
      if (sigwaitinfo(&signals_, nullptr) > 0) return true;
      continue;
    }
    const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(deadline - Clock::now());
    if (left.count() <= 0) return false;
    timespec pause{};
    pause.tv_sec = left.count() / 1'000'000'000;
    pause.tv_nsec = left.count() % 1'000'000'000;
    if (sigtimedwait(&signals_, nullptr, &pause) > 0) return true;
  }
}

}  // namespace ipnscast::tools
