#include "ipnscast/nostr/net/verify_threads.h"

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <semaphore>
#include <thread>
#include <utility>

#include "ipnscast/nostr/base/inbox.h"
#include "ipnscast/nostr/base/thread_name.h"
#include "ipnscast/nostr/net/loop.h"
#include "ipnscast/nostr/relay/relay.h"

namespace ipnscast::nostr::net {
namespace {

// What waits for one thread: enough of small frames to find the newest of many versions, and few of
// large ones.
constexpr size_t kInboxFrames = 1024;
constexpr size_t kInboxBytes = 8 * 1024 * 1024;
// Results go back in parts, so that the first do not wait for the last.
constexpr size_t kResults = 64;
constexpr int kResultsUnderWay = 4;

// Versions of one address that follow each other within kBurstGap are a burst. While it lasts, a
// thread lets frames gather for kBurstPause, so that one verification serves for all versions of
// that time. The first two have no delay.
constexpr Milliseconds kBurstGap{20};
constexpr Milliseconds kBurstPause{5};

class BurstWatch {
 public:
  // A version of this address was verified.
  void verified(Address address) {
    const Instant now = std::chrono::steady_clock::now();
    if (verified_at_.size() >= kAddresses) verified_at_.clear();
    auto [at, first] = verified_at_.try_emplace(std::move(address), now);
    if (!first && now - at->second < kBurstGap) until_ = now + kBurstGap;
    at->second = now;
  }
  bool is_on() const { return std::chrono::steady_clock::now() < until_; }

 private:
  static constexpr size_t kAddresses = 64;
  std::map<Address, Instant> verified_at_;
  Instant until_{};
};

}  // namespace

// One thread with its inbox. At most kResultsUnderWay parts wait for the net thread at a time.
class VerifyThreads::Worker {
 public:
  Worker(Loop& loop, VerifiedSet& verified, const NewestRules& rules, MessageLimits limits,
         Sink sink, Room room, size_t number)
      : loop_(loop),
        shared_(std::make_shared<Shared>(std::move(sink), std::move(room))),
        rules_(rules),
        batch_(verified, rules, limits),
        inbox_(kInboxFrames),
        thread_([this, number] { serve(number); }) {}

  ~Worker() {
    {
      std::lock_guard lock(pause_mutex_);
      shared_->stopped = true;
    }
    pause_.notify_all();
    inbox_.close();
    inbox_.drain();
    thread_.join();
    loop_.run([this] { shared_->sink = nullptr; });
  }

  bool submit(Job& job) {
    const size_t bytes = job.text.size();
    if (waiting_bytes_ < kInboxBytes) {
      waiting_bytes_ += bytes;
      if (inbox_.try_push(job)) return true;
      waiting_bytes_ -= bytes;
    }
    // Some of what waits has still to come back, and `room` is called after that.
    shared_->refused = true;
    return false;
  }

 private:
  // Lives as long as the last part that is on its way to the net thread.
  struct Shared {
    Shared(Sink s, Room r) : sink(std::move(s)), room(std::move(r)) {}
    Sink sink;  // net thread only after construction
    Room room;
    bool refused = false;  // net thread only
    std::atomic<bool> stopped = false;
    std::counting_semaphore<kResultsUnderWay> slots{kResultsUnderWay};
  };

  void serve(size_t number) {
    set_thread_name(("verify-" + std::to_string(number)).c_str());
    while (auto job = inbox_.pop()) {
      if (burst_.is_on()) pause();
      // What waits already goes along: a single frame has no delay, and a burst is seen as one.
      std::vector<Job> jobs = inbox_.drain();
      jobs.insert(jobs.begin(), std::move(*job));
      size_t bytes = 0;
      for (const Job& one : jobs) bytes += one.text.size();
      waiting_bytes_ -= bytes;
      std::vector<Checked> results;
      batch_.check(std::move(jobs), [&](Checked checked) {
        watch(checked.result);
        results.push_back(std::move(checked));
        if (results.size() == kResults) hand_over(std::exchange(results, {}));
      });
      if (!results.empty()) hand_over(std::move(results));
    }
  }

  // Of subscriptions whose older versions need no verification.
  void watch(const CheckedFrame& frame) {
    if (frame.verdict != Verdict::verified || rules_.empty()) return;
    if (!rules_.find(SubscriptionId(Relay::owner(frame.subscription)))) return;
    if (auto address = address_of(std::get<EventMessage>(*frame.message).event))
      burst_.verified(std::move(*address));
  }

  void pause() {
    std::unique_lock lock(pause_mutex_);
    pause_.wait_for(lock, kBurstPause, [this] { return shared_->stopped.load(); });
  }

  void hand_over(std::vector<Checked> results) {
    shared_->slots.acquire();  // the net thread gives it back and never waits for us
    loop_.post([shared = shared_, results = std::move(results)]() mutable {
      shared->slots.release();
      if (shared->stopped || !shared->sink) return;
      shared->sink(std::move(results));
      if (std::exchange(shared->refused, false)) shared->room();
    });
  }

  Loop& loop_;
  const std::shared_ptr<Shared> shared_;
  const NewestRules& rules_;
  FrameBatch batch_;  // verifying thread only, as the next
  BurstWatch burst_;
  std::mutex pause_mutex_;  // with pause_: ends a pause when we stop
  std::condition_variable pause_;
  std::atomic<size_t> waiting_bytes_ = 0;
  Inbox<Job> inbox_;
  std::thread thread_;
};

VerifyThreads::VerifyThreads(Loop& loop, size_t threads, MessageLimits limits, const Sink& sink,
                             const Room& room) {
  for (size_t i = 0; i < std::max<size_t>(1, threads); ++i) {
    workers_.push_back(
        std::make_unique<Worker>(loop, verified_, rules_, limits, sink, room, i + 1));
  }
}

VerifyThreads::~VerifyThreads() = default;

bool VerifyThreads::submit(Job& job) { return workers_[job.relay % workers_.size()]->submit(job); }

}  // namespace ipnscast::nostr::net
