#include "ipnscast/sync/c_api/handover.h"

#include <algorithm>

namespace ipnscast::c_api {
namespace {

// What is taken off a client's handler timeout, so that the lane is given back before it is over.
Milliseconds margin(Milliseconds longest) { return std::min(longest / 10, Milliseconds(1'000)); }

}  // namespace

Handover::Handover(Milliseconds longest) : longest_(longest - margin(longest)) {}

Status Handover::open() {
  if (auto added = any_.add(callbacks_); !added) return added;
  return any_.add(waiters_);
}

bool Handover::closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

bool Handover::goes_to_callback(const Offer& offer) const {
  const auto found = followed_.find(offer.name);
  return found != followed_.end() && found->second.follower.callback != nullptr;
}

void Handover::show_what_waits() {
  const auto called =
      static_cast<size_t>(std::count_if(waiting_.begin(), waiting_.end(), [&](const auto& offer) {
        return goes_to_callback(*offer);
      }));
  callbacks_.set(closed_ || called > 0);
  waiters_.set(closed_ || called < waiting_.size());
}

void Handover::set_follower(const IpnsName& name, Follower follower) {
  Lock lock(mutex_);
  followed_[name].follower = follower;
  show_what_waits();
  wait_for_callback(lock, &name);
}

bool Handover::remove_follower(const IpnsName& name) {
  Lock lock(mutex_);
  const bool was = followed_.erase(name) > 0;
  withdraw(name);
  wait_for_callback(lock, &name);
  return was;
}

void Handover::withdraw(const IpnsName& name) {
  for (const auto& [id, offer] : offers_) {
    if (offer->name == name) offer->withdrawn = true;
  }
  std::erase_if(waiting_, [&](const auto& offer) { return offer->name == name; });
  show_what_waits();
  answered_.notify_all();
}

// Of this name, or any. Not for the one that this very thread is in.
void Handover::wait_for_callback(Lock& lock, const IpnsName* name) {
  returned_.wait(lock, [&] {
    const bool runs = calling_ && (name == nullptr || *calling_ == *name);
    return !runs || dispatcher_ == std::this_thread::get_id();
  });
}

Status Handover::hand_over(const sync::Change& change) {
  auto event = make_event(change);
  Lock lock(mutex_);
  if (closed_) return fail(Errc::closed, "the client is closed");
  const auto found = followed_.find(change.name);
  if (found == followed_.end()) return fail(Errc::cancelled, "it is not followed any more");
  Followed& followed = found->second;
  const bool again = followed.kind == event->kind && followed.sequence == event->sequence &&
                     followed.value == change.value;
  if (again && std::chrono::steady_clock::now() < followed.not_before)
    return fail(Errc::busy, "the application wants it later");
  if (!again) followed.attempts = 0;
  followed.kind = event->kind;
  followed.sequence = event->sequence;
  followed.value = change.value;
  followed.not_before = {};
  event->attempt = ++followed.attempts;
  event->id = ++last_id_;
  const uint64_t id = last_id_;
  const auto offer = std::make_shared<Offer>(Offer{change.name, std::move(event)});
  offers_.emplace(id, offer);
  waiting_.push_back(offer);
  show_what_waits();
  answered_.wait_for(lock, longest_, [&] { return offer->answer || offer->withdrawn || closed_; });
  offers_.erase(id);
  if (std::erase(waiting_, offer) > 0) show_what_waits();
  return conclude(*offer, change.name);
}

// What the engine is told. A value that was rejected counts as handed over, so that the next
// version is looked at anew.
Status Handover::conclude(const Offer& offer, const IpnsName& name) {
  if (offer.answer == IPNSCAST_RETRY)
    return fail(Errc::busy, "the application wants " + name.to_string() + " later");
  if (offer.answer) return {};
  if (closed_) return fail(Errc::closed, "the client is closed");
  if (offer.withdrawn) return fail(Errc::cancelled, "it is not followed any more");
  return fail(Errc::timeout, "the application has not acknowledged it");
}

std::shared_ptr<Handover::Offer> Handover::take(bool for_callback, uint64_t newest) {
  const auto found = std::find_if(waiting_.begin(), waiting_.end(), [&](const auto& offer) {
    return goes_to_callback(*offer) == for_callback && offer->event->id <= newest;
  });
  if (found == waiting_.end()) return nullptr;
  auto offer = std::move(*found);
  waiting_.erase(found);
  show_what_waits();
  return offer;
}

void Handover::call(Lock& lock, Offer& offer) {
  const Follower follower = followed_.at(offer.name).follower;
  const auto event = std::move(offer.event);
  calling_ = offer.name;
  const auto returns = [&] {
    lock.lock();
    calling_.reset();
    returned_.notify_all();
  };
  lock.unlock();
  try {
    follower.callback(event.get(), follower.data);
  } catch (...) {
    returns();
    throw;
  }
  returns();
}

int Handover::dispatch(int64_t timeout_ms, size_t& count) {
  const auto patience = Patience::of(timeout_ms);
  if (!patience) return IPNSCAST_INVALID;
  Lock lock(mutex_);
  if (closed_) return IPNSCAST_CLOSED;
  if (dispatching_) return IPNSCAST_BUSY;
  dispatching_ = true;
  dispatcher_ = std::this_thread::get_id();
  struct End {
    Handover& handover;
    ~End() {
      handover.dispatching_ = false;
      handover.dispatcher_ = {};
    }
  } const end{*this};
  for (;;) {
    const uint64_t newest = last_id_;
    while (const auto offer = closed_ ? nullptr : take(true, newest)) {
      call(lock, *offer);
      ++count;
    }
    if (closed_) return IPNSCAST_CLOSED;
    if (count > 0) return IPNSCAST_OK;
    lock.unlock();
    const int woken = patience->wait_for(callbacks_);
    lock.lock();
    if (woken == IPNSCAST_TIMEOUT) return closed_ ? IPNSCAST_CLOSED : IPNSCAST_OK;
    if (woken != IPNSCAST_OK) return woken;
  }
}

int Handover::wait(int64_t timeout_ms, std::unique_ptr<GivenEvent>& out) {
  const auto patience = Patience::of(timeout_ms);
  if (!patience) return IPNSCAST_INVALID;
  for (;;) {
    {
      const Lock lock(mutex_);
      if (closed_) return IPNSCAST_CLOSED;
      if (const auto offer = take(false, last_id_)) {
        out = std::move(offer->event);
        return IPNSCAST_OK;
      }
    }
    if (const int woken = patience->wait_for(waiters_); woken != IPNSCAST_OK) return woken;
  }
}

int Handover::acknowledge(uint64_t id, int answer, int64_t retry_after_ms) {
  if (answer != IPNSCAST_APPLIED && answer != IPNSCAST_RETRY && answer != IPNSCAST_REJECT)
    return IPNSCAST_INVALID;
  const auto after = time_in(answer == IPNSCAST_RETRY ? retry_after_ms : 0, "retry_after_ms");
  if (!after) return IPNSCAST_INVALID;
  const Lock lock(mutex_);
  if (closed_) return IPNSCAST_CLOSED;
  const auto found = offers_.find(id);
  if (found == offers_.end()) return IPNSCAST_NOT_FOUND;
  Offer& offer = *found->second;
  if (offer.answer || offer.withdrawn || offer.event) return IPNSCAST_NOT_FOUND;
  offer.answer = answer;
  if (answer == IPNSCAST_RETRY)
    followed_.at(offer.name).not_before = std::chrono::steady_clock::now() + *after;
  answered_.notify_all();
  return IPNSCAST_OK;
}

void Handover::close() {
  Lock lock(mutex_);
  closed_ = true;
  show_what_waits();
  answered_.notify_all();
  wait_for_callback(lock, nullptr);
}

}  // namespace ipnscast::c_api
