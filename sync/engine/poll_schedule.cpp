#include "ipnscast/sync/engine/poll_schedule.h"

#include <algorithm>

namespace ipnscast::sync {
namespace {

bool real_time(SourceKind kind) {
  return kind != SourceKind::poll && kind != SourceKind::local && kind != SourceKind::app;
}

}  // namespace

PollSchedule::PollSchedule() : PollSchedule(Options{}) {}
PollSchedule::PollSchedule(Options options) : options_(std::move(options)) {}

bool PollSchedule::set(const SourceId& source, bool healthy) {
  if (!real_time(source.kind)) return false;
  const auto known = sources_.find(source);
  if (known != sources_.end()) return std::exchange(known->second, healthy) != healthy;
  if (sources_.size() >= options_.max_sources) return false;
  sources_.emplace(source, healthy);
  return true;
}

bool PollSchedule::healthy(const SourceId& source) const {
  const auto known = sources_.find(source);
  return known != sources_.end() && known->second;
}

bool PollSchedule::any_healthy() const {
  return std::any_of(sources_.begin(), sources_.end(), [](const auto& s) { return s.second; });
}

Milliseconds PollSchedule::interval(const SourceId& latest, Rng& rng) const {
  if (healthy(latest)) return options_.healthy;
  const auto longest = std::max(options_.min, options_.max);
  std::uniform_int_distribution<int64_t> uniform(options_.min.count(), longest.count());
  return Milliseconds(uniform(rng));
}

Milliseconds PollSchedule::jittered(const SourceId& latest, Rng& rng) const {
  const Milliseconds whole = interval(latest, rng);
  if (!healthy(latest) && options_.min < options_.max) return whole;
  std::uniform_int_distribution<int64_t> uniform(whole.count(), whole.count() + whole.count() / 10);
  return Milliseconds(uniform(rng));
}

}  // namespace ipnscast::sync
