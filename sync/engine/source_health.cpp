#include "ipnscast/sync/engine/engine.h"

// Who is there to say anything, and what follows when somebody goes.
namespace ipnscast::sync {

void Engine::take(SourceHealth& in) {
  const bool lost = schedule_.healthy(in.source);
  const bool changed = schedule_.set(in.source, in.healthy);
  silence_.connected(schedule_.any_healthy(), now_.steady);
  listen();
  if (!changed || in.healthy) return;
  // Names that relied on it are polled at the quick rate from now on (R29). A recovered source
  // slows them down after their next poll, which also shows what was missed meanwhile.
  for (auto& [key, name] : names_) {
    if (!name->active() || name->row.source != in.source) continue;
    name->next_poll = std::min(name->next_poll, now_.steady + schedule_.jittered(in.source, rng_));
    schedule(*name);
  }
  // Nobody is left who would say anything. Whether the gateways are there one name shows; when
  // somebody was there until now, what was said last may have been lost.
  constexpr size_t kSome = 64;
  if (!schedule_.any_healthy()) poll_soon(lost ? kSome : 1);
}

// One name at once and the others of these within a second.
void Engine::poll_soon(size_t most) {
  std::uniform_int_distribution<int64_t> spread(0, options_.first_poll_spread.count());
  std::vector<IpnsName> some;
  for (const auto& [key, name] : names_) {
    if (name->active()) some.push_back(key);
    if (some.size() == most) break;
  }
  for (const IpnsName& key : some) {
    const auto wait = Milliseconds(key == some.front() ? 0 : spread(rng_));
    Tracked* const name = tracked(key);
    name->next_poll = std::min(name->next_poll, now_.steady + wait);
    advance(*name);
  }
}

// Says when nobody has been there for a while, and when somebody is again.
void Engine::listen() {
  const auto word = silence_.word(now_.steady);
  if (!word) return;
  const std::string seconds = std::to_string((word->lasted.count() + 500) / 1'000) + " s";
  if (word->over) {
    emit(action::Alarm{std::nullopt, "a source answers again, after " + seconds});
    return;
  }
  std::string places;
  for (const auto& [source, healthy] : schedule_.sources())
    places += (places.empty() ? "" : ", ") + source.endpoint;
  emit(action::Alarm{std::nullopt,
                     "no source has answered for " + seconds + ": no gateway does, and " +
                         (places.empty() ? "no relay is connected" : "not connected: " + places) +
                         "; changes will be seen when one of them is back"});
}

// During a silence one name shows soon whether it is over.
void Engine::ask_soon(Tracked& name) {
  if (!silence_.lasts(now_.steady)) {
    silent_wait_ = options_.silent_poll;
    return;
  }
  if (ask_again_at_ > now_.steady || silent_wait_ > options_.poll.max) return;
  ask_again_at_ = now_.steady + silent_wait_;
  silent_wait_ *= 2;
  name.next_poll = std::min(name.next_poll, ask_again_at_);
}

}  // namespace ipnscast::sync
