#pragma once

#include <functional>
#include <memory>

#include "ipnscast/sync/engine/handler_health.h"
#include "ipnscast/sync/engine/messages.h"

namespace ipnscast::sync {

// Calls the application's handlers, and nobody else does: names side by side in lanes, one call per
// name at a time. A handler that takes longer than `patience` while others wait goes on beside the
// lanes. At its deadline the hand-over counts as failed, the handler's thread is written off, and
// what the handler returns later has no effect. Thread-safe. Threads start on demand ("lanes" and
// lane-N); what they share with the lanes outlives both.
class HandlerLanes {
 public:
  struct Options {
    size_t lanes = 4;               // calls side by side; 1: strictly one after the other
    Milliseconds timeout{600'000};  // of each call
    Milliseconds patience{10};      // not with a single lane
    size_t most_slow = 16;          // calls beside the lanes
    size_t most_written_off = 64;   // threads
  };
  struct Handler {
    OnChange call;
    // What it gives is held from before the call until its answer was passed on, on the lane's
    // thread. May be empty.
    std::function<std::shared_ptr<void>()> enter{};
  };
  // Called once for each deliver(), when the handler has returned or its deadline has come, unless
  // the lanes were closed before. Any thread; must not block.
  using Done = std::function<void(input::Handled)>;

  HandlerLanes(Options options, Done done);
  // As close() without waiting.
  ~HandlerLanes();
  HandlerLanes(const HandlerLanes&) = delete;
  HandlerLanes& operator=(const HandlerLanes&) = delete;

  void set_handler(const IpnsName& name, Handler handler);
  bool has_handler(const IpnsName& name) const;
  // The handler is not called again once this returns, except when it runs right now.
  void remove_handler(const IpnsName& name);
  // At most one change of a name is under way, so the number of names bounds what waits.
  void deliver(action::Deliver what);
  // Calls `question` when it is this name's turn, like its handler and under the same deadline.
  // Never without a handler, nor when the lanes are closed before. Done is not called.
  void ask(const IpnsName& name, std::function<void()> question);

  // No handler is called any more. Waits so long for those that run; the rest is written off. From
  // inside of a handler it does not wait for that one, nor for others that close the lanes as well.
  // Gives the number that was written off. Idempotent, also by several threads.
  size_t close(Milliseconds wait);
  HandlerHealth health() const;

 private:
  struct State;
  const std::shared_ptr<State> state_;
};

}  // namespace ipnscast::sync
