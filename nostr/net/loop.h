#pragma once

#include <functional>
#include <memory>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/nostr/base/result.h"
#include "ipnscast/nostr/net/sleep_detector.h"

namespace ipnscast::nostr::net {

// The net thread: owns the one libwebsockets context with all its sockets, and the timers of
// whoever lives on it. Start one per process and share it. Outlives everything that was built on
// it.
class Loop {
 public:
  using Task = std::function<void()>;

  // `clocks` tell of a suspended machine; tests bring their own. A thread that does not come round
  // for `stuck_after` ends the process (see LoopWatchdog). An idle one comes round every 3 s, so
  // that less than 20 s is for tests that keep it busy.
  static Result<std::unique_ptr<Loop>> start(
      std::function<SleepClocks()> clocks = read_sleep_clocks,
      Milliseconds stuck_after = Milliseconds(30'000));
  // Ends the thread. Everything built on the loop is gone by then.
  ~Loop();

  // Runs the task on the net thread, in order of posting. Any thread. A task must not block.
  void post(Task task);
  // Runs the task on the net thread and waits for it. Not from the net thread.
  void run(Task task);
  // Runs the task at or shortly after `when`. Net thread only.
  void at(Instant when, Task task);
  // Calls back on the net thread, with the time that the machine slept, within 5 s of its waking
  // and until the token has gone. By then every open connection is being probed: one that does not
  // answer within ClientOptions::probe_deadline is closed as dead. Net thread only, and so is the
  // end of the token.
  std::shared_ptr<void> on_resume(std::function<void(Milliseconds asleep)> call);
  bool on_net_thread() const;

  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  Loop();
  std::unique_ptr<Impl> impl_;
};

}  // namespace ipnscast::nostr::net
