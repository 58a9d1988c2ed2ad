#pragma once

#include <cassert>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "ipnscast/nostr/base/clock.h"

namespace ipnscast {

// The one way between threads: a bounded queue that many threads fill and one empties. `Msg` is a
// variant of small structs. Closing is a state: what was accepted before can still be taken, what
// comes after is refused.
//
// `wake` replaces the condition variable when the reader waits elsewhere (an event loop): it is
// called after each push into an empty queue and on close, without our lock held, from the pushing
// thread.
template <typename Msg>
class Inbox {
 public:
  explicit Inbox(size_t capacity, std::function<void()> wake = nullptr)
      : capacity_(capacity), wake_(std::move(wake)) {
    assert(capacity > 0);
  }
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  // Waits for room. False when the inbox is closed. Never called by a thread whose own inbox the
  // reader may wait for.
  bool push(Msg message) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return closed_ || queue_.size() < capacity_; });
    return put(std::move(message), lock);
  }

  // Does not wait. False, with `message` untouched, when full or closed.
  bool try_push(Msg& message) {
    std::unique_lock lock(mutex_);
    if (queue_.size() >= capacity_) return false;
    return put(std::move(message), lock);
  }
  bool try_push(Msg&& message) { return try_push(message); }

  // Past the capacity if need be: for answers to requests, whose number the requester bounds. False
  // when closed.
  bool push_reserved(Msg message) {
    std::unique_lock lock(mutex_);
    return put(std::move(message), lock);
  }

  // Waits for the next message. Nothing once closed and empty.
  std::optional<Msg> pop() {
    std::unique_lock lock(mutex_);
    filled_.wait(lock, [&] { return closed_ || !queue_.empty(); });
    return take(lock);
  }

  // The same until `deadline`. Nothing on time-out too; closed() tells which.
  std::optional<Msg> pop_until(Instant deadline) {
    std::unique_lock lock(mutex_);
    filled_.wait_until(lock, deadline, [&] { return closed_ || !queue_.empty(); });
    return take(lock);
  }

  // Everything there is, without waiting.
  std::vector<Msg> drain() {
    std::unique_lock lock(mutex_);
    std::vector<Msg> out(std::make_move_iterator(queue_.begin()),
                         std::make_move_iterator(queue_.end()));
    queue_.clear();
    lock.unlock();
    room_.notify_all();
    return out;
  }

  void close() {
    {
      std::lock_guard lock(mutex_);
      closed_ = true;
    }
    filled_.notify_all();
    room_.notify_all();
    if (wake_) wake_();
  }

  // Whether try_push() would take one more, or has nobody to take it for.
  bool has_room() const {
    std::lock_guard lock(mutex_);
    return closed_ || queue_.size() < capacity_;
  }
  bool closed() const {
    std::lock_guard lock(mutex_);
    return closed_;
  }
  size_t size() const {
    std::lock_guard lock(mutex_);
    return queue_.size();
  }
  size_t capacity() const { return capacity_; }

 private:
  bool put(Msg&& message, std::unique_lock<std::mutex>& lock) {
    if (closed_) return false;
    const bool wakes = wake_ && queue_.empty();
    queue_.push_back(std::move(message));
    // Under the lock: the reader may destroy an inbox of its own as soon as it has the message.
    filled_.notify_one();
    lock.unlock();
    if (wakes) wake_();
    return true;
  }

  std::optional<Msg> take(std::unique_lock<std::mutex>& lock) {
    if (queue_.empty()) return std::nullopt;
    std::optional<Msg> out(std::move(queue_.front()));
    queue_.pop_front();
    lock.unlock();
    room_.notify_one();
    return out;
  }

  // constant after construction
  const size_t capacity_;
  const std::function<void()> wake_;

  // guarded by mutex_
  mutable std::mutex mutex_;
  std::condition_variable filled_;
  std::condition_variable room_;
  std::deque<Msg> queue_;
  bool closed_ = false;
};

}  // namespace ipnscast
