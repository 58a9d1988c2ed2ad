#include "nostr/net/verify_threads.h"

#include <atomic>
#include <semaphore>
#include <thread>
#include <utility>

#include "nostr/base/inbox.h"
#include "nostr/base/thread_name.h"
#include "nostr/net/loop.h"

namespace ipnscast::nostr::net {
namespace {

// What waits for one thread: enough of small frames to find the newest of many versions, and few of
// large ones.
constexpr size_t kInboxFrames = 1024;
constexpr size_t kInboxBytes = 8 * 1024 * 1024;
// Results go back in parts, so that the first do not wait for the last.
constexpr size_t kResults = 64;
constexpr int kResultsUnderWay = 4;

}  // namespace

// One thread with its inbox. At most kResultsUnderWay parts wait for the net thread at a time.
class VerifyThreads::Worker {
 public:
  Worker(Loop& loop, VerifiedSet& verified, const NewestRules& rules, MessageLimits limits,
         Sink sink, Room room, size_t number)
      : loop_(loop),
        shared_(std::make_shared<Shared>(std::move(sink), std::move(room))),
        batch_(verified, rules, limits),
        inbox_(kInboxFrames),
        thread_([this, number] { serve(number); }) {}

  ~Worker() {
    shared_->stopped = true;
    inbox_.close();
    inbox_.drain();
    thread_.join();
    loop_.run([this] { shared_->sink = nullptr; });
  }

  bool submit(Job&& job) {
    const size_t bytes = job.text.size();
    if (waiting_bytes_ < kInboxBytes) {
      waiting_bytes_ += bytes;
      if (inbox_.try_push(std::move(job))) return true;
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
      // What waits already goes along: a single frame has no delay, and a burst is seen as one.
      std::vector<Job> jobs = inbox_.drain();
      jobs.insert(jobs.begin(), std::move(*job));
      size_t bytes = 0;
      for (const Job& one : jobs) bytes += one.text.size();
      waiting_bytes_ -= bytes;
      std::vector<Checked> results;
      batch_.check(std::move(jobs), [&](Checked checked) {
        results.push_back(std::move(checked));
        if (results.size() == kResults) hand_over(std::exchange(results, {}));
      });
      if (!results.empty()) hand_over(std::move(results));
    }
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
  FrameBatch batch_;
  std::atomic<size_t> waiting_bytes_ = 0;
  Inbox<Job> inbox_;
  std::thread thread_;
};

VerifyThreads::VerifyThreads(Loop& loop, size_t threads, MessageLimits limits, Sink sink,
                             Room room) {
  for (size_t i = 0; i < std::max<size_t>(1, threads); ++i) {
    workers_.push_back(
        std::make_unique<Worker>(loop, verified_, rules_, limits, sink, room, i + 1));
  }
}

VerifyThreads::~VerifyThreads() = default;

bool VerifyThreads::submit(Job&& job) {
  return workers_[job.relay % workers_.size()]->submit(std::move(job));
}

}  // namespace ipnscast::nostr::net
