#pragma once

#include <functional>
#include <memory>
#include <mutex>

namespace ipnscast::sync {

// A callback that can be taken back from those who have it. Thread-safe.
template <typename... Args>
class Revocable {
 public:
  explicit Revocable(std::function<void(Args...)> call)
      : shared_(std::make_shared<Shared>()), given_(call != nullptr) {
    shared_->call = std::move(call);
  }
  ~Revocable() { revoke(); }
  Revocable(const Revocable&) = delete;
  Revocable& operator=(const Revocable&) = delete;

  // To be given away; calls the callback until it is revoked. Empty when the callback is.
  std::function<void(Args...)> handle() const {
    if (!given_) return nullptr;
    return [shared = shared_](Args... args) {
      const std::lock_guard lock(shared->mutex);
      if (shared->call) shared->call(args...);
    };
  }
  // Waits for a call that runs; none begins after it. Not from the callback.
  void revoke() {
    const std::lock_guard lock(shared_->mutex);
    shared_->call = nullptr;
  }

 private:
  struct Shared {
    std::mutex mutex;
    std::function<void(Args...)> call;  // guarded by mutex
  };
  const std::shared_ptr<Shared> shared_;
  const bool given_;
};

}  // namespace ipnscast::sync
