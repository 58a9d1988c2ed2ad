// What a NameWriter knows of its name, and what became of its own publishes.
#include <algorithm>

#include "ipnscast/nostr/base/retry.h"
#include "ipnscast/sync/writer/name_writer.h"
#include "ipnscast/sync/writer/renewal.h"

namespace ipnscast::sync {
namespace {

constexpr Milliseconds kLoserWaits{2'000};
constexpr Milliseconds kWinnerWaits{30'000};
constexpr Milliseconds kAnybodyWaits{600'000};

bool covers(const std::optional<VersionVector>& vector, const DeviceTag& tag, uint64_t count) {
  const auto entry = vector ? vector->of(tag) : std::nullopt;
  return entry && entry->count >= count;
}

}  // namespace

SeenRecord seen_record(const IpnsRecord& record) {
  return {known_record(record), vector_of(record.fields())};
}

std::vector<LostPublish> lost_publishes(const WriterState& state) {
  std::vector<LostPublish> out;
  for (const OwnPublish& own : state.own) {
    if (own.state != OwnPublish::State::lost) continue;
    LostPublish one;
    one.ours = own.seen.version();
    if (own.theirs) one.theirs = own.theirs->version();
    one.conflict = own.theirs && own.theirs->record.sequence == own.sequence();
    one.certain = own.certain;
    one.told = own.told;
    out.push_back(std::move(one));
  }
  return out;
}

NameWriter::Relation NameWriter::relation(const OwnPublish& own, const SeenRecord& to) {
  if (to.record.value == own.value()) return Relation::current;
  if (covers(to.vector, own.tag, own.count)) return Relation::contained;
  const auto entry = to.vector ? to.vector->of(own.tag) : std::nullopt;
  if (const auto& twin = own.twin) {
    // Of ours, a later one need not rest on it.
    if (twin->tag != own.tag && covers(to.vector, twin->tag, twin->count))
      return Relation::contained;
    if (twin->tag == own.tag && entry && entry->count >= twin->count)
      return entry->count == twin->count ? Relation::contained : Relation::unknown;
  }
  return entry ? Relation::displaced : Relation::unknown;
}

// Where somebody else counts under our tag, on a copy of our state, it proves nothing about what is
// still on its way.
NameWriter::Relation NameWriter::judge(const OwnPublish& own, const SeenRecord& to) const {
  const Relation is = relation(own, to);
  if (is != Relation::contained || own.state != OwnPublish::State::sent) return is;
  const auto entry = to.vector ? to.vector->of(own.tag) : std::nullopt;
  const bool shared = own.tag != state_.tag || (entry && entry->count > state_.count);
  return shared ? Relation::unknown : is;
}

OwnPublish* NameWriter::tentative() {
  const auto it = std::find_if(state_.own.begin(), state_.own.end(), [](const OwnPublish& own) {
    return own.state == OwnPublish::State::tentative;
  });
  return it == state_.own.end() ? nullptr : &*it;
}

OwnPublish* NameWriter::head() {
  const auto it = std::find_if(state_.own.rbegin(), state_.own.rend(),
                               [](const OwnPublish& own) { return own.alive(); });
  return it == state_.own.rend() ? nullptr : &*it;
}

const OwnPublish* NameWriter::unresolved() const {
  const auto it = std::find_if(state_.own.rbegin(), state_.own.rend(), [](const OwnPublish& own) {
    return own.state == OwnPublish::State::lost && own.certain;
  });
  return it == state_.own.rend() ? nullptr : &*it;
}

bool NameWriter::owes_report() const {
  return std::any_of(state_.own.begin(), state_.own.end(), [](const OwnPublish& own) {
    return own.state == OwnPublish::State::lost && !own.told;
  });
}

bool NameWriter::unsettled() const {
  return std::any_of(state_.own.begin(), state_.own.end(), [](const OwnPublish& own) {
    return own.state == OwnPublish::State::tentative || own.state == OwnPublish::State::sent;
  });
}

void NameWriter::saw(const SeenRecord& in) {
  const auto ours = in.vector ? in.vector->of(state_.tag) : std::nullopt;
  if (ours && ours->count > state_.count && !new_identity_asked_) {
    new_identity_asked_ = true;
    emit(writer_action::NewIdentity{});
  }
  SeenRecord full = in;
  if (!full.vector) full.vector = vector_of_own(in.version());
  if (overtakes_queue(full)) return;
  learn(full);
}

// Who signs again what this device published may leave the vector out.
std::optional<VersionVector> NameWriter::vector_of_own(const Version& version) const {
  const auto own = std::find_if(state_.own.begin(), state_.own.end(),
                                [&](const auto& one) { return one.seen.version() == version; });
  return own == state_.own.end() ? std::nullopt : own->seen.vector;
}

// Publishes that nobody has heard of give way to whatever was published meanwhile, also where the
// order of records would let them win: whoever published that may be gone for good.
bool NameWriter::overtakes_queue(const SeenRecord& in) {
  const auto first = std::find_if(state_.own.begin(), state_.own.end(),
                                  [](const OwnPublish& own) { return own.alive() && own.queued; });
  if (first == state_.own.end()) return false;
  const OwnPublish* const last = head();
  if (in.record == last->seen.record || covers(in.vector, last->tag, last->count)) return false;
  auto& before = state_.before_queue;
  if (before && in.record.value == before->record.value) {
    if (wins_over(in.record, before->record)) {
      before->record = in.record;
      touch();
    }
    if (in.record.sequence < first->sequence()) return true;
  } else if (before && !wins_over(in.record, before->record)) {
    return true;
  }
  const auto queued_value = [&](const OwnPublish& own) { return own.value() == in.record.value; };
  if (std::any_of(state_.own.begin(), state_.own.end(), queued_value)) return false;
  give_way_to(in);
  return true;
}

// Nobody has heard of what is on its way here, and nobody will.
void NameWriter::give_way_to(const SeenRecord& in) {
  lose(in, true);
  state_.known = in;
  state_.contested.reset();
  state_.owed.reset();
  state_.before_queue.reset();
  prune();
  touch();
}

// One more record: which is the best now, and what does that mean for ours?
void NameWriter::learn(const SeenRecord& in) {
  auto& known = state_.known;
  for (OwnPublish& own : state_.own) {
    if (!own.alive() || own.seen.version() != in.version() || !in.vector) continue;
    if (covers(in.vector, own.tag, own.count) || own.twin) continue;
    if (const auto writer = in.vector->writer_of(in.record.sequence)) {
      own.twin = OwnPublish::Twin{*writer, in.vector->of(*writer)->count};
      touch();
    }
  }
  if (!known) {
    known = in;
  } else if (in.version() == known->version()) {
    const bool better = wins_over(in.record, known->record);
    auto vector = known->vector;
    if (in.vector && vector) {
      vector->merge(*in.vector);
    } else if (in.vector) {
      vector = in.vector;
    }
    if (!better && vector == known->vector) return;
    if (better) known->record = in.record;
    known->vector = std::move(vector);
  } else if (in.record.sequence == known->record.sequence) {
    const bool wins = wins_over(in.record, known->record);
    const std::string& loser = wins ? known->record.value : in.record.value;
    const WriterState::Contested contested{in.record.sequence, loser};
    if (!wins && state_.contested == contested) return;
    state_.contested = contested;
    if (wins) known = in;
    plan_repeat();
  } else if (in.record.sequence > known->record.sequence) {
    auto vector = in.vector;
    if (!vector && in.record.value == known->record.value) vector = known->vector;
    known = SeenRecord{in.record, std::move(vector)};
    state_.contested.reset();
    repeat_at_.reset();
  } else {
    return;
  }
  if (state_.base && state_.base->version.value == known->record.value)
    state_.base = WriterState::Base{known->version(), known->vector};
  if (state_.owed && state_.owed->version() != known->version()) state_.owed.reset();
  touch();
  weigh();
}

// Each own publish is current, contained in what is current, or lost.
void NameWriter::weigh() {
  const SeenRecord theirs = *state_.known;
  lose(theirs, false);
  for (OwnPublish& own : state_.own) {
    if (own.state != OwnPublish::State::sent || own.queued) continue;
    if (judge(own, theirs) == Relation::contained) {
      own.state = OwnPublish::State::settled;
      touch();
    }
  }
  prune();
}

void NameWriter::lose(const SeenRecord& theirs, bool overtaken) {
  bool reported = false;
  for (auto own = state_.own.rbegin(); own != state_.own.rend(); ++own) {
    if (!own->alive()) continue;
    const Relation is = judge(*own, theirs);
    const bool untold = overtaken && (own->queued || !reported);
    if (!untold && (is == Relation::current || is == Relation::contained)) continue;
    own->state = OwnPublish::State::lost;
    own->queued = false;
    own->theirs = theirs;
    // What was built on ours has a higher sequence, but for a value that was there before.
    const bool beside = theirs.record.sequence == own->sequence() && !own->twin;
    own->certain = untold || is == Relation::displaced || beside;
    own->told = reported;  // the latest speaks for those before it
    reported = true;
    touch();
  }
  if (!reported) return;
  plan_resolution();
  // What displaced the latest may still contain an earlier one: that is to be watched on, in the
  // form in which it lives.
  const auto last = std::find_if(state_.own.rbegin(), state_.own.rend(), [](const auto& own) {
    return own.state == OwnPublish::State::lost && !own.told;
  });
  const auto entry = theirs.vector ? theirs.vector->of(last->tag) : std::nullopt;
  if (head() != nullptr || !entry || entry->count == 0) return;
  OwnPublish lives;
  lives.tag = last->tag;
  lives.count = entry->count;
  lives.seen = theirs;
  lives.state = OwnPublish::State::settled;
  const auto same = [&](const auto& own) {
    return own.tag == lives.tag && own.count == lives.count;
  };
  if (std::none_of(state_.own.begin(), state_.own.end(), same))
    state_.own.insert(state_.own.begin(), std::move(lives));
}

// Those before the latest are contained in it.
void NameWriter::prune() {
  const OwnPublish* const last = head();
  const auto contained = [&](const OwnPublish& own) {
    return own.state == OwnPublish::State::acknowledged ||
           (own.state == OwnPublish::State::settled && &own != last);
  };
  if (std::none_of(state_.own.begin(), state_.own.end(), contained)) return;
  std::vector<OwnPublish> kept;
  for (const OwnPublish& own : state_.own) {
    if (!contained(own)) kept.push_back(own);
  }
  state_.own = std::move(kept);
  touch();
}

// Of a sequence with two values the winner goes on as sequence + 1, so that every place takes it:
// by the device that holds it, or much later by any.
void NameWriter::plan_repeat() {
  repeat_at_.reset();
  if (!state_.contested || !state_.known || options_.job) return;
  if (state_.contested->sequence != state_.known->record.sequence) return;
  const bool holder = std::any_of(state_.own.begin(), state_.own.end(), [&](const OwnPublish& own) {
    return own.alive() && own.value() == state_.known->record.value;
  });
  if (holder) {
    repeat_at_ =
        now_.steady + kWinnerWaits + (resolves_ ? options_.handler_timeout : Milliseconds(0));
    return;
  }
  const UnixMillis half = renewal_time(state_.known->record.eol, options_.lifetime);
  const int64_t most = std::chrono::duration_cast<Milliseconds>(options_.lifetime).count() / 2;
  const int64_t wait = std::clamp<int64_t>(half.value - now_.wall.value, 0, most);
  repeat_at_ = now_.steady + Milliseconds(wait) + random_wait(kAnybodyWaits);
}

void NameWriter::plan_resolution() {
  if (!resolves_ || unresolved() == nullptr) return;
  resolve_at_ = now_.steady + random_wait(kLoserWaits);
}

void NameWriter::resolve_later() {
  resolve_failures_ = std::min(resolve_failures_ + 1, 1'000);
  if (resolves_) resolve_at_ = now_.steady + retry_after(resolve_failures_);
}

bool NameWriter::everybody_shows(const OwnPublish& own) const {
  const auto& all = places_.connected;
  return !all.empty() && std::all_of(all.begin(), all.end(), [&](const std::string& place) {
    const auto shown = shown_.find(place);
    if (shown == shown_.end()) return false;
    const Relation is = judge(own, shown->second);
    return is == Relation::current || is == Relation::contained;
  });
}

// What the lost one was made on, when what displaced it contains that too.
std::optional<Version> NameWriter::common_of(const OwnPublish& own) const {
  if (!own.made_on || !own.theirs || !own.seen.vector) return std::nullopt;
  if (own.theirs->record.value == own.made_on->value) return own.made_on;
  const auto writer = own.seen.vector->writer_of(own.made_on->sequence);
  if (!writer || !covers(own.theirs->vector, *writer, own.seen.vector->of(*writer)->count))
    return std::nullopt;
  return own.made_on;
}

}  // namespace ipnscast::sync
