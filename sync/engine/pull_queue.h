#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>

#include "ipnscast/sync/change/handled.h"
#include "ipnscast/sync/engine/messages.h"

namespace ipnscast::sync {

// Changes that the application fetches itself instead of being called. Names wait here, and not
// their changes: a change is asked for when somebody is there to take it, so that it is the newest
// one, and what nobody takes stays in the state file. At most one change of a name is out at a
// time. Thread-safe.
class PullQueue {
 public:
  struct Parts {
    // Asks for the change that waits: give() or offer(name, false) is the answer. Any thread.
    std::function<void(const IpnsName&)> ask;
    // What became of a change that was given. Any thread; must not block.
    std::function<void(input::Handled)> done;
  };
  explicit PullQueue(Parts parts);
  ~PullQueue();
  PullQueue(const PullQueue&) = delete;
  PullQueue& operator=(const PullQueue&) = delete;

  // `look` runs before a change of this name is given out, on the thread that takes it; what it
  // does not apply is answered so, and not given out. May be empty.
  void add(const IpnsName& name, OnChange look);
  void remove(const IpnsName& name);
  // What waits of this name and what is out is forgotten.
  void forget(const IpnsName& name);

  // Something of this name waits, or no longer.
  void offer(const IpnsName& name, bool there);
  void give(action::Deliver what);
  // The time of this change is over. False: it was acknowledged before that.
  bool revoke(const IpnsName& name, JobId job);

  struct Taken {
    uint64_t id = 0;
    Change change;
  };
  // Waits for a change. Errc::timeout, Errc::cancelled, Errc::closed.
  Result<Taken> next(const std::stop_token& stop, std::optional<Instant> deadline);
  // Errc::not_found when no such change is out.
  Status acknowledge(uint64_t id, Handled what);
  // Can be read as long as next() has something to give, and once this is closed. The same one
  // every time, owned by this. Errc::io.
  Result<int> event_fd();

  struct Counts {
    size_t waiting = 0;  // names
    size_t out = 0;
  };
  Counts counts() const;
  // Nothing is given out any more; those who wait get Errc::closed. Idempotent.
  void close();

 private:
  struct Asked {
    bool answered = false;
    std::optional<action::Deliver> change;
  };
  struct Out {
    IpnsName name;
    JobId job;
  };
  // With mutex_ held.
  void answer(const IpnsName& name, std::optional<action::Deliver> change);
  void forget_locked(const IpnsName& name);
  void put(const IpnsName& name);
  void drop(const IpnsName& name);
  void show();
  std::optional<action::Deliver> take_one(std::unique_lock<std::mutex>& lock);

  // constant after construction
  const Parts parts_;
  const uint64_t first_id_;  // those of another run are none of ours

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  // guarded by mutex_
  std::map<IpnsName, std::shared_ptr<const OnChange>> looks_;
  std::map<uint64_t, IpnsName> waiting_;  // in the order in which they came
  std::map<IpnsName, uint64_t> places_;   // of these
  uint64_t last_place_ = 0;
  std::map<IpnsName, std::shared_ptr<Asked>> asked_;
  std::map<IpnsName, action::Deliver> given_;  // whoever asked for it did not wait any more
  std::map<uint64_t, Out> out_;
  int event_fd_ = -1;
  bool shown_ = false;
  bool closed_ = false;
};

}  // namespace ipnscast::sync
