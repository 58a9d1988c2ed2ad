#include "nostr/net/verify_threads.h"

#include <atomic>
#include <semaphore>
#include <thread>

#include "nostr/base/inbox.h"
#include "nostr/base/thread_name.h"
#include "nostr/net/loop.h"

namespace ipnscast::nostr::net {
namespace {

constexpr size_t kInboxFrames = 256;
constexpr size_t kBatchFrames = 64;
constexpr int kBatchesUnderWay = 4;

}  // namespace

// One thread with its inbox. At most kBatchesUnderWay results wait for the net thread at a time.
class VerifyThreads::Worker {
 public:
  Worker(Loop& loop, VerifiedSet& verified, MessageLimits limits, Sink sink, Room room,
         size_t number)
      : loop_(loop),
        shared_(std::make_shared<Shared>(std::move(sink), std::move(room))),
        verifier_(verified, limits),
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
    if (inbox_.try_push(std::move(job))) return true;
    refused_ = true;
    return false;
  }

 private:
  // Lives as long as the last batch that is on its way to the net thread.
  struct Shared {
    Shared(Sink s, Room r) : sink(std::move(s)), room(std::move(r)) {}
    Sink sink;  // net thread only after construction
    Room room;
    std::atomic<bool> stopped = false;
    std::counting_semaphore<kBatchesUnderWay> slots{kBatchesUnderWay};
  };

  void serve(size_t number) {
    set_thread_name(("verify-" + std::to_string(number)).c_str());
    while (auto job = inbox_.pop()) {
      std::vector<Checked> batch;
      batch.push_back(check(std::move(*job)));
      // What waits already goes along, so that a burst costs few wake-ups and a single frame no
      // delay.
      while (batch.size() < kBatchFrames) {
        auto more = inbox_.pop_until(Instant::min());
        if (!more) break;
        batch.push_back(check(std::move(*more)));
      }
      hand_over(std::move(batch));
    }
  }

  Checked check(Job job) {
    Checked out{job.relay, verifier_.check(job.frame), {}};
    if (out.result.verdict == Verdict::duplicate) out.frame = std::move(job.frame);
    return out;
  }

  void hand_over(std::vector<Checked> batch) {
    shared_->slots.acquire();  // the net thread gives it back and never waits for us
    auto shared = shared_;
    const bool had_refused = refused_.exchange(false);
    loop_.post([shared, had_refused, batch = std::move(batch)]() mutable {
      shared->slots.release();
      if (shared->stopped || !shared->sink) return;
      shared->sink(std::move(batch));
      if (had_refused) shared->room();
    });
  }

  Loop& loop_;
  const std::shared_ptr<Shared> shared_;
  const FrameVerifier verifier_;
  std::atomic<bool> refused_ = false;
  Inbox<Job> inbox_;
  std::thread thread_;
};

VerifyThreads::VerifyThreads(Loop& loop, size_t threads, MessageLimits limits, Sink sink,
                             Room room) {
  for (size_t i = 0; i < std::max<size_t>(1, threads); ++i) {
    workers_.push_back(std::make_unique<Worker>(loop, verified_, limits, sink, room, i + 1));
  }
}

VerifyThreads::~VerifyThreads() = default;

bool VerifyThreads::submit(Job&& job) {
  return workers_[job.relay % workers_.size()]->submit(std::move(job));
}

}  // namespace ipnscast::nostr::net
