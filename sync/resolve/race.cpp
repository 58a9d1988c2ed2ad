#include "ipnscast/sync/resolve/race.h"

#include <algorithm>

namespace ipnscast::sync {
namespace {

constexpr int kSlowTier = 3;

}  // namespace

Race::Race(const std::vector<int>& tiers, RaceOptions options, Instant start)
    : options_(options), start_(start) {
  for (const int tier : tiers) sources_.push_back({std::clamp(tier, 1, kSlowTier)});
}

std::vector<RaceAction> Race::begin() {
  std::vector<RaceAction> out;
  ask_tier(1, out);
  ask_tier(kSlowTier, out);
  advance(start_, out);
  return out;
}

std::vector<RaceAction> Race::answer(size_t source, std::optional<Standing> record, Instant now) {
  std::vector<RaceAction> out;
  if (finished_ || source >= sources_.size() || sources_[source].state != State::asked) return out;
  sources_[source].state = State::done;
  if (record) {
    if (!first_record_) first_record_ = now;
    if (!best_ || *record > *best_) {
      best_ = std::move(record);
      best_source_ = source;
      improved_ = true;
    }
  }
  advance(now, out);
  return out;
}

std::vector<RaceAction> Race::tick(Instant now) {
  std::vector<RaceAction> out;
  if (!finished_) advance(now, out);
  return out;
}

Instant Race::settled_at() const { return *first_record_ + options_.settle - options_.settle / 10; }

std::optional<Instant> Race::next_tick() const {
  if (finished_) return std::nullopt;
  std::optional<Instant> next;
  const auto at = [&](Instant when) { next = next ? std::min(*next, when) : when; };
  if (!second_tier_asked_ && !listening_ended_ && !acceptable()) at(start_ + options_.hedge);
  if (!delivered_ && first_record_ && !options_.floor && !options_.first_contact) {
    at(settled_at());
  }
  if (!delivered_ && !said_not_yet_) at(start_ + options_.answer_by);
  if (!listening_ended_) at(start_ + options_.listen);
  at(start_ + std::max(options_.listen, options_.slow_listen));
  return next;
}

bool Race::acceptable() const {
  return best_ && (!options_.floor || best_->sequence >= *options_.floor);
}

bool Race::all_done(int first_tier, int last_tier) const {
  return std::all_of(sources_.begin(), sources_.end(), [&](const Source& source) {
    return source.tier < first_tier || source.tier > last_tier || source.state == State::done;
  });
}

// Some source of tiers 1 and 2 has been asked and may still answer.
bool Race::fast_pending() const {
  return std::any_of(sources_.begin(), sources_.end(), [](const Source& source) {
    return source.tier < kSlowTier && source.state == State::asked;
  });
}

void Race::ask_tier(int tier, std::vector<RaceAction>& out) {
  for (size_t i = 0; i < sources_.size(); ++i) {
    if (sources_[i].tier != tier || sources_[i].state != State::waiting) continue;
    sources_[i].state = State::asked;
    out.push_back(Ask{i});
  }
}

void Race::stop_tiers(int first_tier, int last_tier, std::vector<RaceAction>& out) {
  for (size_t i = 0; i < sources_.size(); ++i) {
    Source& source = sources_[i];
    if (source.tier < first_tier || source.tier > last_tier) continue;
    if (source.state == State::asked) out.push_back(Stop{i});
    source.state = State::done;
  }
}

void Race::deliver(bool late, std::vector<RaceAction>& out) {
  delivered_ = true;
  improved_ = false;
  out.push_back(RaceResult{best_source_, late});
}

void Race::advance(Instant now, std::vector<RaceAction>& out) {
  if (!second_tier_asked_ && !listening_ended_ && !acceptable() &&
      (options_.first_contact || now >= start_ + options_.hedge || all_done(1, 1))) {
    second_tier_asked_ = true;
    ask_tier(2, out);
  }
  const bool answer_due = now >= start_ + options_.answer_by;
  if (acceptable() && improved_) {
    if (delivered_ || said_not_yet_) {
      deliver(true, out);
    } else if (options_.floor || answer_due || !fast_pending() ||
               (!options_.first_contact && now >= settled_at())) {
      deliver(false, out);
    }
  }
  if (!delivered_ && !said_not_yet_ && answer_due) {
    said_not_yet_ = true;
    out.push_back(NotYet{best_ ? std::optional(best_source_) : std::nullopt});
  }
  if (!listening_ended_ && now >= start_ + options_.listen) {
    listening_ended_ = true;
    stop_tiers(1, 2, out);
  }
  if (now >= start_ + std::max(options_.listen, options_.slow_listen))
    stop_tiers(1, kSlowTier, out);
  // Tier 2 counts as through when nobody needs to ask it any more.
  const bool through = all_done(1, 1) && all_done(kSlowTier, kSlowTier) &&
                       (all_done(2, 2) || (delivered_ && !second_tier_asked_));
  if (through && (delivered_ || !acceptable())) {
    finished_ = true;
    out.push_back(RaceFinished{best_ ? std::optional(best_source_) : std::nullopt});
  }
}

}  // namespace ipnscast::sync
