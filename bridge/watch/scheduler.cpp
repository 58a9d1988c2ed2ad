#include "ipnscast/bridge/watch/scheduler.h"

#include <algorithm>

#include "ipnscast/nostr/base/retry.h"

namespace ipnscast::bridge {
namespace {

// From 5 s to 10 min in 22 polls, which take 50 min.
constexpr double kGrowth = 1.25;
constexpr double kSpread = 0.2;

Milliseconds scaled(Milliseconds time, double factor) {
  return Milliseconds(static_cast<int64_t>(static_cast<double>(time.count()) * factor));
}

}  // namespace

void Scheduler::add(const sync::IpnsName& name, Instant now) {
  const auto [it, added] = names_.try_emplace(name);
  if (!added) return;
  it->second.interval = options_.min;
  it->second.due = now;
  queue_.emplace(now, name);
}

std::vector<sync::IpnsName> Scheduler::take_due(Instant now) {
  std::vector<sync::IpnsName> out;
  while (under_way_ < options_.parallel && !queue_.empty() && queue_.begin()->first <= now) {
    out.push_back(queue_.begin()->second);
    queue_.erase(queue_.begin());
    names_.at(out.back()).due.reset();
    ++under_way_;
  }
  return out;
}

void Scheduler::done(const sync::IpnsName& name, Outcome outcome, Instant now) {
  const auto it = names_.find(name);
  if (it == names_.end() || it->second.due) return;
  --under_way_;
  it->second.due = now + wait_after(it->second, outcome);
  queue_.emplace(*it->second.due, name);
}

std::optional<Instant> Scheduler::next() const {
  if (queue_.empty() || under_way_ >= options_.parallel) return std::nullopt;
  return queue_.begin()->first;
}

Milliseconds Scheduler::wait_after(State& state, Outcome outcome) {
  const auto between = [this](Milliseconds least, Milliseconds most) {
    return Milliseconds(
        std::uniform_int_distribution<int64_t>(least.count(), std::max(least, most).count())(rng_));
  };
  if (outcome == Outcome::failed) {
    const Milliseconds wait = retry_after(++state.failures);
    return between(wait / 2, wait);
  }
  state.failures = 0;
  state.interval = outcome == Outcome::changed
                       ? options_.min
                       : std::min(scaled(state.interval, kGrowth), options_.max);
  return between(std::max(options_.min, scaled(state.interval, 1 - kSpread)),
                 std::min(options_.max, scaled(state.interval, 1 + kSpread)));
}

}  // namespace ipnscast::bridge
