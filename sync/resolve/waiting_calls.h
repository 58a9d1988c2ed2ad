#pragma once

#include <condition_variable>
#include <mutex>
#include <set>

#include "ipnscast/sync/gateway/http_call.h"

namespace ipnscast::sync {

// The HTTP calls of threads that wait for their answers; close() ends them all at once.
// Thread-safe. Outlived by the HTTP client.
class WaitingCalls {
 public:
  explicit WaitingCalls(gateway::Http& http) : http_(http) {}

  // Makes the call and waits for its answer until `end`. Errc::timeout, Errc::closed, else the
  // call's own error. `stall`: the longest time without a byte either way, 0 for none, as who
  // stores and pins is silent meanwhile. Not from the http thread.
  Result<gateway::HttpAnswer> ask(gateway::HttpCall call, Instant end,
                                  Milliseconds stall = Milliseconds(0));
  // Waits. False, at once, when `end` comes before; false when closed meanwhile.
  bool wait(Milliseconds time, Instant end);

  bool closed() const;
  void close();

 private:
  gateway::Http& http_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // guarded by mutex_
  bool closed_ = false;
  std::set<gateway::HttpId> calls_;
};

}  // namespace ipnscast::sync
