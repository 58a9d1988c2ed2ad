#pragma once

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/nostr/base/result.h"
#include "ipnscast/sync/c_api/ipnscast.h"

namespace ipnscast::c_api {

// A file descriptor that is readable while something waits: an eventfd that is never read by
// programs. Thread-safe but for construction and end.
class Signal {
 public:
  Signal();
  ~Signal();
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;

  int fd() const { return fd_; }  // -1: it could not be had
  void set(bool readable);

 private:
  const int fd_;
};

// Readable while any of the signals is that were added: an epoll descriptor.
class AnySignal {
 public:
  AnySignal();
  ~AnySignal();
  AnySignal(const AnySignal&) = delete;
  AnySignal& operator=(const AnySignal&) = delete;

  Status add(const Signal& signal);
  int fd() const { return fd_; }

 private:
  const int fd_;
};

// Until when to wait: `milliseconds` of a program, -1 being no end. Errc::invalid below that.
class Patience {
 public:
  static Result<Patience> of(int64_t milliseconds);
  // Waits for the signal: IPNSCAST_OK, IPNSCAST_TIMEOUT, or IPNSCAST_CANCELLED when this thread got
  // a signal of the system.
  int wait_for(const Signal& signal) const;

 private:
  explicit Patience(Instant until) : until_(until) {}
  Instant until_;
};

}  // namespace ipnscast::c_api
