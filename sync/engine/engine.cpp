#include "ipnscast/sync/engine/engine.h"

#include <algorithm>

#include "ipnscast/nostr/base/retry.h"

namespace ipnscast::sync {
namespace {

constexpr Milliseconds kFollowAfter{100};

// A time of the wall clock on the steady one, so far as they run alike. Looked at again at least
// every hour.
Instant steady_time(UnixMillis at, const Now& now) {
  const int64_t wait = std::clamp<int64_t>(at.value - now.wall.value, 0, 3'600'000);
  return now.steady + Milliseconds(wait);
}

UnixMillis end_of(const KnownRecord& record) {
  constexpr int64_t kFar = INT64_MAX / 2000;
  return {std::clamp<int64_t>(record.eol.seconds, 0, kFar) * 1000 +
          record.eol.nanoseconds / 1'000'000 + 1};
}

}  // namespace

// Names the overload for std::visit.
struct Engine::Dispatch {
  Engine& engine;
  template <typename In>
  void operator()(In& in) const {
    engine.take(in);
  }
};

Engine::Engine(EngineOptions options, uint64_t seed, WriterView* writers)
    : options_(std::move(options)),
      trusted_(options_.trusted_authors.begin(), options_.trusted_authors.end()),
      writers_(writers),
      schedule_(options_.poll),
      silent_wait_(options_.silent_poll),
      authors_(options_.authors),
      deduplicator_(options_.max_names),
      sent_(options_.max_sent),
      device_id_(options_.device_id),
      rng_(seed) {}

Engine::~Engine() = default;

std::vector<Action> Engine::handle(Input input, Now now) {
  now_ = now;
  out_.clear();
  std::visit(Dispatch{*this}, input);
  return std::move(out_);
}

std::optional<Instant> Engine::next_wake() const {
  std::optional<Instant> due = follow_at_;
  const auto at = [&](Instant when) { due = due ? std::min(*due, when) : when; };
  if (!timers_.empty()) at(timers_.begin()->first);
  if (const auto word = silence_.next()) at(*word);
  return due;
}

Engine::Tracked* Engine::tracked(const IpnsName& name) {
  const auto it = names_.find(name);
  return it == names_.end() ? nullptr : it->second.get();
}

const NameRow* Engine::find(const IpnsName& name) const {
  const auto it = names_.find(name);
  return it == names_.end() || !it->second->active() ? nullptr : &it->second->row;
}

bool Engine::busy(const IpnsName& name) const {
  const auto it = names_.find(name);
  if (it == names_.end()) return false;
  const auto& n = *it->second;
  return n.resolving_in_foreground() || n.fetch || n.older || n.prefetch || n.delivery ||
         n.pending || n.row.owed || n.row.expiry_owed || n.row.withdraw_owed;
}

Engine::Tracked* Engine::track(const IpnsName& key, std::optional<NameRow> stored) {
  if (Tracked* const known = tracked(key)) return known;
  if (names_.size() >= options_.max_names) {
    emit(action::Alarm{
        key, "not watched: " + std::to_string(options_.max_names) + " names are the limit"});
    return nullptr;
  }
  NameRow row = stored ? std::move(*stored) : NameRow{.name = key};
  auto fresh = std::make_unique<Tracked>(std::move(row));
  Tracked* const name = names_.emplace(key, std::move(fresh)).first->second.get();
  name->seen_at = now_.steady;  // what is owed from an earlier run counts from this one's begin
  // Not further away than the longest back-off, whatever the clock did meanwhile.
  if (name->row.failures > 0) {
    const int64_t wait = name->row.retry_at.value - now_.wall.value;
    name->retry = now_.steady + Milliseconds(std::clamp<int64_t>(wait, 0, kRetryMax.count()));
  }
  return name;
}

void Engine::take(input::Watch& in) {
  Tracked* const name = track(in.name, std::move(in.stored));
  if (name == nullptr) return;
  name->takes_in = in.takes_in;
  if (in.has_handler) name->every_version = in.every_version;
  if (in.has_handler && name->pulls != in.pulls) {
    name->pulls = in.pulls;
    name->offered = false;
  }
  const bool begins = !name->row.watched || !name->has_handler;
  // What was published before there was this handler is news to it.
  if (begins && !name->has_handler) follow_truth(*name);
  if (!name->row.watched || name->row.fetch_content != in.fetch_content) {
    name->row.watched = true;
    name->row.fetch_content = in.fetch_content;
    touch(*name, false);
  }
  name->has_handler = name->has_handler || in.has_handler;
  if (in.has_handler) begin_attempts(*name);  // perhaps it was mended
  if (begins) {
    std::uniform_int_distribution<int64_t> spread(0, options_.first_poll_spread.count());
    // A first contact and a provisional value of the last run wait for nothing.
    const bool urgent = !name->row.record || name->row.provisional;
    name->next_poll = now_.steady + Milliseconds(urgent ? 0 : spread(rng_));
  }
  advance(*name);
}

// What this device published there is not settled: others' records matter, whoever watches.
void Engine::take(input::Follow& in) {
  Tracked* const name = track(in.name, std::move(in.stored));
  if (name == nullptr) return;
  const bool begins = !name->active();
  name->followed = writers_ != nullptr && writers_->open(in.name);
  if (begins) name->next_poll = now_.steady + schedule_.jittered(name->row.source, rng_);
  advance(*name);
}

void Engine::take(input::Written& in) {
  Tracked* const name = tracked(in.name);
  const bool open = writers_ != nullptr && writers_->open(in.name);
  if (name == nullptr) {
    if (writers_ != nullptr) (void)writers_->asks(in.name);  // nothing is known here
    if (open && to_follow_.insert(in.name).second && !follow_at_)
      follow_at_ = now_.steady + kFollowAfter;
    return;
  }
  if (name->followed && !open && !name->row.watched) drop_work(*name);
  name->followed = open;
  advance(*name);
}

void Engine::take(input::Unwatch& in) {
  Tracked* name = tracked(in.name);
  if (name == nullptr || !name->row.watched) return;
  if (!name->followed) drop_work(*name);
  name->row.watched = false;
  name->row.replay.reset();
  name->has_handler = false;
  name->offered = false;
  touch(*name, false);
  advance(*name);
}

void Engine::take(input::Forget& in) {
  Tracked* name = tracked(in.name);
  if (name == nullptr) return;
  drop_work(*name);
  deduplicator_.forget(in.name);
  NameRow fresh{.name = in.name};
  fresh.watched = name->row.watched;
  fresh.fetch_content = name->row.fetch_content;
  fresh.heard = fresh.passed = name->row.heard;
  name->row = std::move(fresh);
  name->flips.clear();
  name->next_poll = now_.steady;
  touch(*name, true);
  advance(*name);
}

void Engine::take(input::Sent& in) {
  sent_.insert(in.event_id);
  UnixSeconds& until = sent_until_[in.address];
  until = std::max(until, in.created_at);
}

void Engine::take(input::DeviceId& in) {
  device_id_ = std::move(in.id);
  new_device_id_asked_ = false;
}

void Engine::take(input::Tick&) {
  // Each name is planned anew behind `now`, so this ends.
  while (!timers_.empty() && timers_.begin()->first <= now_.steady)
    advance(*timers_.begin()->second);
  listen();
  begin_to_follow();
}

// Not at once: what is settled quickly needs no following, and of many publishes in a row all are
// followed in one go.
void Engine::begin_to_follow() {
  if (!follow_at_ || *follow_at_ > now_.steady) return;
  follow_at_.reset();
  for (const IpnsName& name : std::exchange(to_follow_, {})) {
    if (tracked(name) == nullptr && writers_->open(name)) emit(action::Load{name});
  }
}

// What the name needs next, from its state alone. Called after everything that may have changed it.
void Engine::advance(Tracked& name) {
  if (name.active()) {
    give_up_on_lost_work(name);
    tell_writer(name);
    follow_truth(name);
    check_expiry(name);
    if (name.row.provisional &&
        now_.wall.value - name.row.provisional->since.value >= options_.provisional_limit.count()) {
      withdraw_provisional(name);
    }
    follow_pending(name);
    if (name.chase_at && *name.chase_at <= now_.steady && !name.resolving_in_foreground()) {
      name.chase_at.reset();
      start_resolve(name, std::nullopt);
    }
    poll_if_due(name);
    fetch_if_wanted(name);
  }
  commit_if_dirty(name);
  if (name.active()) {
    bring_older(name);
    commit_if_dirty(name);
    deliver_if_due(name);
  } else if (!name.commit && !name.dirty()) {
    if (name.due) timers_.erase({*name.due, &name});
    names_.erase(IpnsName(name.row.name));
    return;
  }
  schedule(name);
}

// Whoever does the work answers by its deadline. When no answer came, the work is taken for lost:
// everything ends.
void Engine::give_up_on_lost_work(Tracked& name) {
  const auto lost = [&](const auto& job) {
    return job && job->deadline + options_.grace <= now_.steady;
  };
  if (lost(name.lingering)) {
    emit(action::Cancel{name.lingering->job});
    name.lingering.reset();
  }
  if (lost(name.resolve)) {
    emit(action::Cancel{name.resolve->job});
    finish_resolve(name);
  }
  if (lost(name.poll)) {
    emit(action::Cancel{name.poll->job});
    name.poll.reset();
    if (!name.resolving_in_foreground()) start_resolve(name, std::nullopt);
  }
  if (lost(name.prefetch)) {
    emit(action::Cancel{name.prefetch->job});
    name.prefetch.reset();
  }
  if (lost(name.fetch)) {
    emit(action::Cancel{name.fetch->job});
    name.fetch.reset();
    failed(name);
    tell_why(name, {Errc::timeout, "it is not here yet"});
  }
}

void Engine::plan_poll(Tracked& name) {
  name.next_poll = now_.steady + schedule_.jittered(name.row.source, rng_);
}

void Engine::poll_if_due(Tracked& name) {
  if (name.next_poll > now_.steady || name.poll || name.resolving_in_foreground()) return;
  plan_poll(name);
  if (!name.row.record || name.row.provisional) {
    start_resolve(name, std::nullopt);
    return;
  }
  name.poll = Tracked::Polling{next_job(), now_.steady + options_.poll_timeout};
  emit(action::Poll{name.row.name, name.poll->job, name.poll->deadline});
}

// Ends all work on the name. Answers that still come find nobody.
void Engine::drop_work(Tracked& name) {
  const auto drop = [&](auto& job) {
    if (job) emit(action::Cancel{job->job});
    job.reset();
  };
  drop(name.resolve);
  drop(name.lingering);
  drop(name.poll);
  drop(name.fetch);
  drop(name.prefetch);
  drop_older(name);
  name.delivery.reset();
  name.content.reset();
  name.prefetched.reset();
  name.pending.reset();
  name.provisional_due = false;
  drop_claim(name);
}

// Puts the name among the timers at the next moment when time alone changes something for it.
// Always behind now: there is no way to spin.
void Engine::schedule(Tracked& name) {
  std::optional<Instant> due;
  const auto at = [&](Instant when) {
    if (when > now_.steady && (!due || when < *due)) due = when;
  };
  const auto until_lost = [&](const auto& job) {
    if (job) at(job->deadline + options_.grace);
  };
  if (name.active()) {
    until_lost(name.resolve);
    until_lost(name.lingering);
    until_lost(name.poll);
    until_lost(name.fetch);
    until_lost(name.prefetch);
    at(name.next_poll);
    if (name.pending) at(name.next_claim);
    if (name.chase_at) at(*name.chase_at);
    if (name.row.failures > 0) at(name.retry);
    if (name.attempts > 0) at(name.next_attempt);
    at(name.older_at);
    if (name.older && name.older->version) at(name.older->give_up);
    if (name.older && name.older->failures > 0) at(name.older->retry);
    if (const auto held = held_until(name)) at(*held);
    if (name.delivery && name.delivery->until) at(*name.delivery->until);
    if (name.row.record && !name.row.stale) at(steady_time(end_of(*name.row.record), now_));
    if (name.row.provisional) {
      at(steady_time({name.row.provisional->since.value + options_.provisional_limit.count()},
                     now_));
    }
  }
  if (name.commit_failures > 0) at(name.commit_retry);
  if (due == name.due) return;
  if (name.due) timers_.erase({*name.due, &name});
  name.due = due;
  if (due) timers_.emplace(*due, &name);
}

}  // namespace ipnscast::sync
