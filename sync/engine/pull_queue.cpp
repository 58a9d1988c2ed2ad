#include "ipnscast/sync/engine/pull_queue.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "ipnscast/nostr/base/random.h"

namespace ipnscast::sync {
namespace {

uint64_t some_id() { return make_rng()() >> 2; }

Handled seen(const OnChange& look, const Change& change) {
  try {
    return look(change);
  } catch (const std::exception& thrown) {
    return fail(Errc::internal, std::string("its validator threw: ") + thrown.what());
  }
}

}  // namespace

PullQueue::PullQueue(Parts parts) : parts_(std::move(parts)), first_id_(some_id()) {}

PullQueue::~PullQueue() {
  close();
  if (event_fd_ >= 0) ::close(event_fd_);
}

void PullQueue::add(const IpnsName& name, OnChange look) {
  auto shared = std::make_shared<const OnChange>(std::move(look));
  const std::lock_guard lock(mutex_);
  std::swap(looks_[name], shared);
}

void PullQueue::remove(const IpnsName& name) {
  std::shared_ptr<const OnChange> old;  // ends without the lock
  const std::lock_guard lock(mutex_);
  if (auto node = looks_.extract(name); !node.empty()) old = std::move(node.mapped());
  forget_locked(name);
}

void PullQueue::forget(const IpnsName& name) {
  const std::lock_guard lock(mutex_);
  forget_locked(name);
}

void PullQueue::forget_locked(const IpnsName& name) {
  answer(name, std::nullopt);
  drop(name);
  given_.erase(name);
  std::erase_if(out_, [&](const auto& one) { return one.second.name == name; });
  show();
}

void PullQueue::offer(const IpnsName& name, bool there) {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  if (there) {
    put(name);
  } else {
    answer(name, std::nullopt);
    if (!given_.contains(name)) drop(name);
  }
  show();
}

void PullQueue::give(action::Deliver what) {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  const IpnsName name = what.name;
  if (asked_.contains(name)) return answer(name, std::move(what));
  put(name);
  given_.insert_or_assign(name, std::move(what));
  show();
}

bool PullQueue::revoke(const IpnsName& name, JobId job) {
  const std::lock_guard lock(mutex_);
  if (const auto found = given_.find(name); found != given_.end() && found->second.job == job) {
    given_.erase(found);
    drop(name);
    show();
    return true;
  }
  return out_.erase(first_id_ + job.value) > 0;
}

void PullQueue::answer(const IpnsName& name, std::optional<action::Deliver> change) {
  const auto node = asked_.extract(name);
  if (node.empty()) return;
  node.mapped()->answered = true;
  node.mapped()->change = std::move(change);
  // It is out from now on, however long its taker sleeps.
  if (const auto& given = node.mapped()->change)
    out_.insert_or_assign(first_id_ + given->job.value, Out{name, given->job});
  changed_.notify_all();
}

void PullQueue::put(const IpnsName& name) {
  if (!places_.emplace(name, last_place_ + 1).second) return;
  waiting_.emplace(++last_place_, name);
  changed_.notify_all();
}

void PullQueue::drop(const IpnsName& name) {
  if (const auto node = places_.extract(name); !node.empty()) waiting_.erase(node.mapped());
}

// Level with whether there is something, as poll() sees it.
void PullQueue::show() {
  const bool there = closed_ || !waiting_.empty();
  if (event_fd_ < 0 || there == shown_) return;
  shown_ = there;
  uint64_t count = 1;
  const ssize_t moved =
      there ? ::write(event_fd_, &count, sizeof(count)) : ::read(event_fd_, &count, sizeof(count));
  (void)moved;  // one of our own, of which nobody else reads
}

Result<int> PullQueue::event_fd() {
  const std::lock_guard lock(mutex_);
  if (event_fd_ < 0) {
    event_fd_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (event_fd_ < 0)
      return fail(Errc::io, std::string("no descriptor for events: ") + std::strerror(errno));
    show();
  }
  return event_fd_;
}

// The change of the name that waits longest, or nothing when there is none any more.
std::optional<action::Deliver> PullQueue::take_one(std::unique_lock<std::mutex>& lock) {
  const IpnsName name = waiting_.begin()->second;
  drop(name);
  show();
  if (auto node = given_.extract(name); !node.empty()) {
    out_.insert_or_assign(first_id_ + node.mapped().job.value, Out{name, node.mapped().job});
    return std::move(node.mapped());
  }
  const auto asked = std::make_shared<Asked>();
  asked_[name] = asked;
  lock.unlock();
  parts_.ask(name);
  lock.lock();
  changed_.wait(lock, [&] { return closed_ || asked->answered; });
  return std::move(asked->change);
}

Result<PullQueue::Taken> PullQueue::next(const std::stop_token& stop,
                                         std::optional<Instant> deadline) {
  std::unique_lock lock(mutex_);
  const auto something = [&] { return closed_ || !waiting_.empty(); };
  for (;;) {
    const bool there = deadline ? changed_.wait_until(lock, stop, *deadline, something)
                                : changed_.wait(lock, stop, something);
    if (closed_) return fail(Errc::closed, "the client is closed");
    if (stop.stop_requested()) return fail(Errc::cancelled, "stopped");
    if (!there) return fail(Errc::timeout, "no change has come");
    auto given = take_one(lock);
    if (!given) continue;
    const uint64_t id = first_id_ + given->job.value;
    const auto found = looks_.find(given->name);
    const auto look = found == looks_.end() ? nullptr : found->second;
    if (!look || !*look) return Taken{id, std::move(given->change)};
    lock.unlock();
    Handled what = seen(*look, given->change);
    if (what.is_applied()) return Taken{id, std::move(given->change)};
    // Not when its time was over meanwhile: then it comes again.
    (void)acknowledge(id, std::move(what));
    lock.lock();
  }
}

Status PullQueue::acknowledge(uint64_t id, Handled what) {
  std::optional<Out> out;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return fail(Errc::closed, "the client is closed");
    if (auto node = out_.extract(id); !node.empty()) out = std::move(node.mapped());
  }
  if (!out)
    return fail(Errc::not_found,
                "no change " + std::to_string(id) +
                    " is to be acknowledged: it was already, or took so long that it comes again");
  parts_.done({out->name, out->job, std::move(what)});
  return {};
}

PullQueue::Counts PullQueue::counts() const {
  const std::lock_guard lock(mutex_);
  return {waiting_.size(), out_.size()};
}

void PullQueue::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  show();
  changed_.notify_all();
}

}  // namespace ipnscast::sync
