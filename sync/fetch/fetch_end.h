#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>

#include "ipnscast/nostr/base/result.h"

namespace ipnscast::sync {

// How a fetch ended; what is said first counts. Thread-safe.
class FetchEnd {
 public:
  void come(Status status) {
    const std::lock_guard lock(mutex_);
    if (!status_) status_ = std::move(status);
    come_.notify_all();
  }
  Status wait() {
    std::unique_lock lock(mutex_);
    come_.wait(lock, [&] { return status_.has_value(); });
    return *status_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable come_;
  std::optional<Status> status_;  // guarded by mutex_
};

}  // namespace ipnscast::sync
