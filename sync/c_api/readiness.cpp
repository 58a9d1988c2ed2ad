#include "ipnscast/sync/c_api/readiness.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace ipnscast::c_api {
namespace {

constexpr Milliseconds kLongestWait = std::chrono::hours(24);

}  // namespace

Signal::Signal() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
Signal::~Signal() {
  if (fd_ >= 0) ::close(fd_);
}

void Signal::set(bool readable) {
  eventfd_t ignored = 0;
  readable ? ::eventfd_write(fd_, 1) : ::eventfd_read(fd_, &ignored);
}

AnySignal::AnySignal() : fd_(::epoll_create1(EPOLL_CLOEXEC)) {}
AnySignal::~AnySignal() {
  if (fd_ >= 0) ::close(fd_);
}

Status AnySignal::add(const Signal& signal) {
  epoll_event event{};
  event.events = EPOLLIN;
  if (signal.fd() < 0 || fd_ < 0 || ::epoll_ctl(fd_, EPOLL_CTL_ADD, signal.fd(), &event) != 0)
    return fail(Errc::io, "no file descriptor can be had: this process has too many open");
  return {};
}

Result<Patience> Patience::of(int64_t milliseconds) {
  if (milliseconds < -1) return fail(Errc::invalid, "a time must not be less than -1");
  const bool ends = milliseconds >= 0 && Milliseconds(milliseconds) < std::chrono::hours(24 * 365);
  return Patience(ends ? std::chrono::steady_clock::now() + Milliseconds(milliseconds)
                       : Instant::max());
}

int Patience::wait_for(const Signal& signal) const {
  for (;;) {
    Milliseconds left = kLongestWait;
    if (until_ != Instant::max()) {
      // Rounded up, so that it does not poll in a circle during the last millisecond.
      const auto rest = until_ - std::chrono::steady_clock::now();
      left = std::clamp(std::chrono::ceil<Milliseconds>(rest), Milliseconds(0), kLongestWait);
    }
    pollfd watched{signal.fd(), POLLIN, 0};
    const int got = ::poll(&watched, 1, static_cast<int>(left.count()));
    if (got > 0) return IPNSCAST_OK;
    if (got < 0) return errno == EINTR ? IPNSCAST_CANCELLED : IPNSCAST_INTERNAL;
    if (until_ != Instant::max() && std::chrono::steady_clock::now() >= until_)
      return IPNSCAST_TIMEOUT;
  }
}

}  // namespace ipnscast::c_api
