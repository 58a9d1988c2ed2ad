#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/nostr/base/thread_name.h"

namespace ipnscast {

// Threads that work off a bounded queue, as many as there is work for: one begins when a job comes
// and all others are at work, and ends when nothing has come for a while. Thread-safe.
template <typename Job>
class Workers {
 public:
  struct Options {
    std::string name;          // of its threads, "name-0" and so on; of one thread, "name"
    size_t threads = 1;        // at most
    size_t queued = 1'024;     // jobs that wait for one
    Milliseconds idle{5'000};  // then a thread ends
  };

  // `work` runs on the threads, side by side.
  Workers(Options options, std::function<void(Job&)> work)
      : options_(std::move(options)), work_(std::move(work)) {}
  ~Workers() { close(); }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // Does not wait. False, with `job` untouched, when too many wait or after close().
  bool try_push(Job& job) { return put(job, options_.queued); }
  bool try_push(Job&& job) { return put(job, options_.queued); }
  // Past the bound, for jobs whose number whoever pushes bounds. False after close().
  bool push_reserved(Job job) { return put(job, SIZE_MAX); }

  // Nothing is taken any more; what was taken is worked off. end() waits for that.
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    filled_.notify_all();
  }
  // stop(), and what waits is dropped.
  void drop() {
    std::deque<Job> dropped;
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
      dropped.swap(jobs_);
    }
    filled_.notify_all();
  }
  // stop(), and waits for the threads. Not on one of them. Idempotent.
  void close() {
    stop();
    std::map<size_t, std::thread> threads;
    {
      const std::lock_guard lock(mutex_);
      threads.swap(threads_);
      ended_.clear();
    }
    for (auto& [number, thread] : threads) thread.join();
  }

  bool stopped() const {
    const std::lock_guard lock(mutex_);
    return stopped_;
  }
  // Threads that are there now.
  size_t threads() const {
    const std::lock_guard lock(mutex_);
    return threads_.size() - ended_.size();
  }

 private:
  bool put(Job& job, size_t most) {
    const std::lock_guard lock(mutex_);
    if (stopped_ || jobs_.size() >= most) return false;
    jobs_.push_back(std::move(job));
    if (waiting_ >= jobs_.size())
      filled_.notify_one();
    else
      begin_one();
    return true;
  }

  void begin_one() {
    for (const size_t number : ended_) threads_.extract(number).mapped().join();
    ended_.clear();
    if (threads_.size() >= options_.threads) return;
    size_t number = 0;  // the first that is free
    while (threads_.contains(number)) ++number;
    threads_.emplace(number, std::thread([this, number] { serve(number); }));
  }

  void serve(size_t number) {
    const std::string one = options_.name;
    set_thread_name((options_.threads == 1 ? one : one + "-" + std::to_string(number)).c_str());
    std::unique_lock lock(mutex_);
    for (;;) {
      ++waiting_;
      filled_.wait_for(lock, options_.idle, [this] { return stopped_ || !jobs_.empty(); });
      --waiting_;
      if (jobs_.empty()) break;
      Job job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      work_(job);
      lock.lock();
    }
    // close() has taken the threads and joins them itself.
    if (threads_.contains(number)) ended_.push_back(number);
  }

  // constant after construction
  const Options options_;
  const std::function<void(Job&)> work_;

  mutable std::mutex mutex_;
  std::condition_variable filled_;
  // guarded by mutex_
  std::deque<Job> jobs_;
  std::map<size_t, std::thread> threads_;  // by number, those that ended included
  std::vector<size_t> ended_;
  size_t waiting_ = 0;
  bool stopped_ = false;
};

}  // namespace ipnscast
