// Sources that ask to come back later are asked again, as long as the race goes on.
#include "ipnscast/sync/resolve/resolver_core.h"

namespace ipnscast::sync {
namespace {

constexpr int kMostTimes = 3;

}  // namespace

Instant ResolverCore::race_end(const Lookup& lookup, int tier) const {
  return lookup.race_begun + (tier >= 3 ? options_.race.slow_listen : options_.race.listen);
}

void ResolverCore::note_patience(Lookup& lookup, Source& source, Seconds retry_after, Now now) {
  if (!lookup.race || retry_after.count() <= 0 || source.times_patient == kMostTimes) return;
  if (retry_after >= race_end(lookup, source.tier) - now.steady) return;
  source.not_before = now.steady + retry_after;
  ++source.times_patient;
}

void ResolverCore::ask_again(Now now) {
  while (!patient_.empty() && std::get<Instant>(*patient_.begin()) <= now.steady) {
    const auto [at, id, index] = *patient_.begin();
    patient_.erase(patient_.begin());
    const auto it = lookups_.find(id);
    if (it == lookups_.end() || index >= it->second.sources.size()) continue;
    if (it->second.sources[index].state != Source::State::asked) continue;
    ask(it->second, index, now);
  }
}

std::optional<Instant> ResolverCore::next_tick() const {
  std::optional<Instant> out;
  if (!timers_.empty()) out = timers_.begin()->first;
  if (!patient_.empty() && (!out || std::get<Instant>(*patient_.begin()) < *out))
    out = std::get<Instant>(*patient_.begin());
  return out;
}

}  // namespace ipnscast::sync
