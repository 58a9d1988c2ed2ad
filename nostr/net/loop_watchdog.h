#pragma once

// Private to nostr/net.
#include <atomic>
#include <condition_variable>
#include <ctime>
#include <mutex>
#include <optional>
#include <thread>

#include "ipnscast/nostr/base/clock.h"

namespace ipnscast::nostr::net {

// Tells a loop that hangs from one that could not run. It looks at regular intervals and counts the
// looks, not the clock: whoever stops or suspends the whole process, or the machine, stops the
// looking as well, so that a clock that jumped counts for one look. Pure.
class StuckDetector {
 public:
  static constexpr int kLooks = 6;

  // `rounds` is how often the loop has come round, `held_up` whether it may be waiting for somebody
  // outside: a debugger that holds the process, or whoever should read what it logs. True when the
  // loop did not come round for kLooks intervals.
  bool look(uint64_t rounds, bool held_up);
  int idle_looks() const { return idle_looks_; }

 private:
  std::optional<uint64_t> last_;
  int idle_looks_ = 0;
};

// The thread "watchdog": aborts the process, with a line on stderr, when the net thread has hung
// for `limit`. All else would go on without it, deaf to signals and to its peers, and no supervisor
// would notice. The loop has to come round by itself at least every sixth of `limit`.
class LoopWatchdog {
 public:
  // `rounds` is counted up by the loop, and outlives this. `watched` is its thread.
  LoopWatchdog(const std::atomic<uint64_t>& rounds, std::thread& watched, Milliseconds limit);
  ~LoopWatchdog();

 private:
  void watch();

  // constant after construction
  const std::atomic<uint64_t>& rounds_;
  const std::optional<clockid_t> clock_;  // of the thread, which may end before the last look
  const Milliseconds limit_;

  std::mutex mutex_;
  std::condition_variable over_changed_;
  bool over_ = false;  // guarded by mutex_

  std::thread thread_;
};

}  // namespace ipnscast::nostr::net
