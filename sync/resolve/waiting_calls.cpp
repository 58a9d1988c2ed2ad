#include "ipnscast/sync/resolve/waiting_calls.h"

#include <future>

namespace ipnscast::sync {

Result<gateway::HttpAnswer> WaitingCalls::ask(gateway::HttpCall call, Instant end,
                                              Milliseconds stall) {
  const auto left =
      std::chrono::duration_cast<Milliseconds>(end - std::chrono::steady_clock::now());
  if (left.count() <= 0) return fail(Errc::timeout, "no answer in time");
  call.deadline = left;
  call.stall = stall;
  auto promise = std::make_shared<std::promise<Result<gateway::HttpAnswer>>>();
  auto answer = promise->get_future();
  gateway::HttpId id;
  {
    std::lock_guard lock(mutex_);
    if (closed_) return fail(Errc::closed, "shut down");
    id = http_.start_whole(std::move(call), [promise](Result<gateway::HttpAnswer> got) {
      promise->set_value(std::move(got));
    });
    calls_.insert(id);
  }
  auto got = answer.get();
  std::lock_guard lock(mutex_);
  calls_.erase(id);
  return got;
}

bool WaitingCalls::wait(Milliseconds time, Instant end) {
  std::unique_lock lock(mutex_);
  const Instant until = std::chrono::steady_clock::now() + time;
  return until < end && !changed_.wait_until(lock, until, [&] { return closed_; });
}

bool WaitingCalls::closed() const {
  std::lock_guard lock(mutex_);
  return closed_;
}

void WaitingCalls::close() {
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
    for (const gateway::HttpId id : calls_) http_.cancel(id);
  }
  changed_.notify_all();
}

}  // namespace ipnscast::sync
