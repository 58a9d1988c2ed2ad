#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "ipnscast/sync/c_api/event.h"
#include "ipnscast/sync/c_api/readiness.h"

namespace ipnscast::c_api {

// Brings changes from the lanes of a client to the threads of the application, and their answers
// back. This is the one place that knows how the engine hands over: hand_over() is what
// WatchOptions::on_change calls, and it holds its lane until the application has answered.
//
// Thread-safe. Outlives the client, whose lanes call it.
class Handover {
 public:
  using IpnsName = sync::IpnsName;

  // Who gets the events of a name: a callback, or, when that is null, whoever waits.
  struct Follower {
    ipnscast_callback callback = nullptr;
    void* data = nullptr;
  };

  // `longest`: the client's handler timeout. A little before it, an event that nobody has answered
  // is taken back, and the engine offers the change again.
  explicit Handover(Milliseconds longest);

  // Errc::io when the process has too many files open.
  Status open();
  int fd() const { return any_.fd(); }

  // Replaces the follower of this name, whose callback then does not run on another thread any
  // more.
  void set_follower(const IpnsName& name, Follower follower);
  // The same without a new one. False: there was none. What waits for an answer fails.
  bool remove_follower(const IpnsName& name);

  // On a lane.
  Status hand_over(const sync::Change& change);

  // These answer with codes of the C API and are as their namesakes there.
  int dispatch(int64_t timeout_ms, size_t& count);
  int wait(int64_t timeout_ms, std::unique_ptr<GivenEvent>& out);
  int acknowledge(uint64_t id, int answer, int64_t retry_after_ms);

  // Everybody who waits goes on; no callback begins any more, and none runs on another thread.
  void close();
  bool closed() const;

 private:
  using Lock = std::unique_lock<std::mutex>;

  // What an application is offered, as long as a lane waits for the answer.
  struct Offer {
    IpnsName name;
    std::unique_ptr<GivenEvent> event;  // null once somebody has taken it
    std::optional<int> answer{};
    bool withdrawn = false;
  };
  struct Followed {
    Follower follower;
    // The change that was offered last, and what came of it.
    int kind = 0;
    uint64_t sequence = 0;
    std::string value{};
    uint64_t attempts = 0;
    Instant not_before{};
  };
  using Offers = std::deque<std::shared_ptr<Offer>>;

  // These with the lock held.
  bool goes_to_callback(const Offer& offer) const;
  std::shared_ptr<Offer> take(bool for_callback, uint64_t newest);
  void call(Lock& lock, Offer& offer);
  void withdraw(const IpnsName& name);
  void wait_for_callback(Lock& lock, const IpnsName* name);
  void show_what_waits();
  Status conclude(const Offer& offer, const IpnsName& name);

  // constant after construction
  const Milliseconds longest_;

  Signal callbacks_;  // something waits for dispatch()
  Signal waiters_;    // something waits for wait()
  AnySignal any_;

  mutable std::mutex mutex_;
  std::condition_variable answered_;
  std::condition_variable returned_;  // a callback has
  // guarded by mutex_
  std::map<IpnsName, Followed> followed_;
  std::map<uint64_t, std::shared_ptr<Offer>> offers_;  // all that lanes wait for
  Offers waiting_;                                     // those that nobody has taken yet
  uint64_t last_id_ = 0;
  bool closed_ = false;
  bool dispatching_ = false;
  std::thread::id dispatcher_{};
  std::optional<IpnsName> calling_;  // the name whose callback runs
};

}  // namespace ipnscast::c_api
