#include "ipnscast/tools/cli/stop_signal.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>

#include "ipnscast/nostr/base/thread_name.h"

namespace ipnscast::tools {

namespace {

// As nohup leaves it to us: then it stays ignored.
bool is_ignored(int signal) {
  struct sigaction action {};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

StopSignal::StopSignal() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  if (!is_ignored(SIGHUP)) sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signals_ = ::signalfd(-1, &signals, SFD_CLOEXEC);
  stopped_ = ::eventfd(0, EFD_CLOEXEC);
}

StopSignal::~StopSignal() {
  ::close(signals_);
  ::close(stopped_);
}

// What can be read stays unread, so that everybody who waits sees it.
bool StopSignal::wait(std::optional<std::chrono::milliseconds> timeout) {
  using Clock = std::chrono::steady_clock;
  constexpr int64_t kLongest = 3'600'000;  // poll() takes an int
  const auto deadline = Clock::now() + timeout.value_or(std::chrono::milliseconds(0));
  while (true) {
    int64_t left = kLongest;
    if (timeout) {
      left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
      left = std::clamp<int64_t>(left, 0, kLongest);
    }
    pollfd files[] = {{signals_, POLLIN, 0}, {stopped_, POLLIN, 0}};
    const int ready = ::poll(files, 2, static_cast<int>(left));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return true;
    if (timeout && Clock::now() >= deadline) return false;
  }
}

void StopSignal::stop() {
  const uint64_t one = 1;
  // Fails only when the count is at its end: then it has been stopped before.
  [[maybe_unused]] const auto written = ::write(stopped_, &one, sizeof(one));
}

OnStopSignal::OnStopSignal(StopSignal& signal, std::function<void()> action)
    : signal_(signal), thread_([this, action = std::move(action)] {
        set_thread_name("signals");
        signal_.wait(std::nullopt);
        if (!over_) action();
      }) {}

OnStopSignal::~OnStopSignal() {
  over_ = true;
  signal_.stop();
  thread_.join();
}

}  // namespace ipnscast::tools
