#include "ipnscast/sync/engine/engine.h"

namespace ipnscast::sync {

void Engine::take(RecordArrived& in) {
  Tracked* name = tracked(in.name);
  if (name == nullptr || !name->active()) return;
  const Deduplicator::Sighting sighting{in.record.sequence, in.record.value,
                                        Deduplicator::Strength::record, in.record.eol};
  if (!deduplicator_.admit(in.name, sighting, in.source.kind)) {
    ++counts_[Row::duplicate];
    return;
  }
  consider(*name, in.record, in.source, std::nullopt, true);
  advance(*name);
}

Known Engine::known(Tracked& name) const {
  while (!name.flips.empty() && name.flips.front() + std::chrono::hours(1) <= now_.steady)
    name.flips.pop_front();
  Known out;
  out.record = name.row.record;
  out.loser = name.row.loser;
  out.flips_last_hour = static_cast<int>(name.flips.size());
  out.stale = name.row.stale;
  out.ahead = name.row.ahead;
  return out;
}

// Weighs a verified record. `unconfirmed`: should this be the first contact, a single source stands
// behind it.
void Engine::consider(Tracked& name, const KnownRecord& record, const SourceId& source,
                      const std::optional<nostr::PublicKey>& author, bool unconfirmed) {
  if (writers_ != nullptr) writers_->saw(name.row.name, record, source.endpoint);
  weigh(name, record, source, author, unconfirmed);
}

void Engine::weigh(Tracked& name, const KnownRecord& record, const SourceId& source,
                   const std::optional<nostr::PublicKey>& author, bool unconfirmed) {
  const bool first = !name.row.record;
  if (first && !expired(record, now_.wall)) {
    // At least two sources are asked: the record waits for the foreground answer of a resolution.
    if (!name.resolve && unconfirmed) {
      start_resolve(name, std::nullopt);
      plan_poll(name);
    }
    if (name.resolving_in_foreground()) {
      auto& job = *name.resolve;
      job.hinted = job.hinted || source.kind != SourceKind::poll;
      if (!job.best || wins_over(record, *job.best)) {
        job.best = record;
        job.best_source = source;
        job.best_author = author;
      }
      return;
    }
  }
  const auto decision = decide(known(name), record, options_.expired, now_.wall);
  ++counts_[decision.row];
  if (decision.flip) {
    name.flips.push_back(now_.steady);
    if (name.flips.size() > static_cast<size_t>(kConflictFlipsPerHour) + 1) name.flips.pop_front();
  }
  if (decision.row == Row::conflict_alarm) {
    emit(action::Alarm{name.row.name,
                       "two publishers keep overwriting each other under one sequence"});
  }
  if (auto& claim = name.following; claim && !claim->marked && claim->news.author) {
    Claim said;
    said.cid = claim->news.cid;
    said.sequence = claim->news.sequence;
    if (disagrees(said, record, false)) {
      claim->marked = true;
      authors_.mark(*claim->news.author, now_.steady);
    }
  }
  if (decision.adopt) {
    adopt(name, record, decision, source, author, first && unconfirmed);
    return;
  }
  if (decision.ahead) {
    name.row.ahead = record;
    touch(name, false);
  }
  if (decision.row == Row::conflict_lost) {
    name.row.loser = decision.other_value;
    owe(name, ChangeKind::conflict);
  } else if (decision.row == Row::conflict_alarm) {
    name.row.loser = decision.other_value;
    touch(name, false);
  } else if (decision.notify && name.row.record) {
    owe_expiry(name, *decision.notify);
  } else if (decision.row == Row::stale && first && !name.row.stale) {
    name.row.stale = true;
    touch(name, false);
    emit(action::Alarm{name.row.name, "the only record that was found has expired"});
  }
}

void Engine::adopt(Tracked& name, const KnownRecord& record, const RecordDecision& decision,
                   const SourceId& source, const std::optional<nostr::PublicKey>& author,
                   bool unconfirmed) {
  auto& row = name.row;
  std::optional<Version> before;
  if (row.record) before = row.record->version();
  const bool grows = !row.record || record.sequence > row.record->sequence;
  const bool other = !row.record || row.record->value != record.value;
  // A higher sequence with the value that was refused moves the refusal along.
  if (!other && refused_latest(name)) row.rejected = record.version();
  // What failed was another value.
  if (other && row.failures > 0) {
    row.failures = 0;
    row.retry_at = {};
  }
  if (name.refused_claim == record.version()) row.rejected = record.version();
  row.record = record;
  row.ahead.reset();
  row.stale = false;
  // Who was not told yet that it went stale need not be told that it is good again.
  const bool untold = row.expiry_owed.has_value();
  row.expiry_owed.reset();
  if (decision.other_value) {
    row.loser = decision.other_value;
  } else if (grows) {
    row.loser.reset();
  }
  if (decision.notify && !(untold && *decision.notify == ChangeKind::refresh)) {
    row.source = source;
    row.author = author;
    name.seen_at = now_.steady;
    row.seen = now_.wall;
    // The news was the hint's, and the record only proved it.
    if (const auto& claim = name.following; claim && reached(name, claim->news)) {
      row.source = claim->news.source;
      row.author = claim->news.author;
      row.seen = claim->arrived.wall;
      name.seen_at = claim->arrived.steady;
    }
    name.confirmed_after =
        std::chrono::duration_cast<std::chrono::microseconds>(now_.steady - name.seen_at);
    if (!name.prefetched || name.prefetched->value != record.value) name.fetched_after = {};
    row.unconfirmed_freshness = unconfirmed;
    if (name.content && name.content->value != record.value) name.content.reset();
    hear(name, before, row.source, row.author, row.seen);
    owe(name, *decision.notify);
  } else {
    hear(name, before, source, author, now_.wall);
    touch(name, true);
  }
  if (row.provisional && grows) settle_provisional(name);
  if (name.prefetched && name.prefetched->value == record.value)
    name.content = std::exchange(name.prefetched, {});
  if (name.fetch && name.fetch->value != record.value) {
    emit(action::Cancel{name.fetch->job});
    name.fetch.reset();
  }
  if (name.prefetch && name.prefetch->value == record.value && !name.fetch) {
    name.fetch = std::exchange(name.prefetch, {});
  }
  if (name.following && reached(name, name.following->news)) drop_claim(name);
}

void Engine::owe(Tracked& name, ChangeKind kind) {
  touch(name, true);
  if (refused_latest(name)) return;
  name.row.owed = kind;
  ++name.generation;
  // What failed was another value; this one is tried at once.
  name.retry = now_.steady;
  if (!owes_older(name)) begin_attempts(name);
}

void Engine::begin_attempts(Tracked& name) {
  name.attempts = 0;
  name.told_failure.clear();
}

// Who refused all that there was has nothing that could expire.
void Engine::owe_expiry(Tracked& name, ChangeKind kind) {
  name.row.stale = true;
  if (!refused_latest(name) || name.row.handed) name.row.expiry_owed = kind;
  touch(name, true);
}

// A record with a higher sequence says what the provisional value was worth.
void Engine::settle_provisional(Tracked& name) {
  auto& row = name.row;
  std::optional<Sequence> claimed;
  if (name.following && name.following->news.cid.as_v1() == row.provisional->cid.as_v1()) {
    claimed = name.following->news.sequence;
  }
  switch (settle(row.provisional->cid, claimed, *row.record)) {
    case ProvisionalOutcome::open:
      return;
    case ProvisionalOutcome::confirmed:
      row.provisional.reset();
      name.provisional_due = false;
      owe(name, ChangeKind::confirmed);
      return;
    case ProvisionalOutcome::withdrawn:
      withdraw_provisional(name);
      return;
  }
}

void Engine::withdraw_provisional(Tracked& name) {
  name.row.withdraw_owed = name.row.provisional->cid;
  name.row.provisional.reset();
  name.provisional_due = false;
  ++name.generation;
  begin_attempts(name);
  touch(name, true);
}

void Engine::tell_writer(Tracked& name) {
  const auto& row = name.row;
  if (writers_ == nullptr || !writers_->asks(row.name) || !row.record) return;
  writers_->saw(row.name, *row.record, "");
  if (row.taken == row.record->version()) writers_->taken_in(row.name, *row.record);
}

// One truth: of a name that this device writes, the writer says which record counts.
void Engine::follow_truth(Tracked& name) {
  if (writers_ == nullptr) return;
  const auto truth = writers_->truth(name.row.name);
  if (!truth) return;
  auto& row = name.row;
  const KnownRecord& record = truth->record;
  if (row.record == record) return;
  if (expired(record, now_.wall)) return;
  const bool same = row.record && row.record->version() == record.version();
  const bool news = truth->for_followers && !same;
  if (truth->taken_in && !news) {
    adopt_own(name, record);
    return;
  }
  // Ours, which nobody had heard of, gave way to what was published meanwhile.
  const bool gave_way =
      row.record && wins_over(*row.record, record) && row.record->version() != record.version();
  if (gave_way) row.record.reset();
  if (row.record || gave_way || news)
    weigh(name, record, {SourceKind::local, ""}, news ? options_.own_key : std::nullopt, false);
}

// The application has it: it published it.
void Engine::adopt_own(Tracked& name, const KnownRecord& record) {
  auto& row = name.row;
  const bool other = !row.record || row.record->value != record.value;
  std::optional<Version> before;
  if (row.record) before = row.record->version();
  row.record = record;
  row.ahead.reset();
  row.stale = false;
  row.expiry_owed.reset();
  row.loser.reset();
  row.rejected.reset();
  hear(name, before, {SourceKind::local, ""}, options_.own_key, now_.wall);
  if (other) {
    row.source = {SourceKind::local, ""};
    row.author = options_.own_key;
    name.seen_at = now_.steady;
    row.seen = now_.wall;
    if (name.fetch) emit(action::Cancel{name.fetch->job});
    name.fetch.reset();
    name.content.reset();
    ++name.generation;
    if (name.has_handler) {
      row.owed.reset();
      row.handed = NameRow::Handed{record.sequence, record.value, root_of(record.value)};
      row.taken = record.version();
      have_own(name);
    } else if (!row.handed || row.handed->value != record.value) {
      row.owed = ChangeKind::change;  // for a handler of another day
    }
  }
  touch(name, true);
}

void Engine::check_expiry(Tracked& name) {
  auto& row = name.row;
  // The clock was wrong, or went back.
  if (row.ahead && !expired(*row.ahead, now_.wall)) {
    const KnownRecord good = *std::exchange(row.ahead, std::nullopt);
    weigh(name, good, row.source, row.author, false);
    return;
  }
  if (row.stale && !row.ahead && row.record && !expired(*row.record, now_.wall)) {
    row.stale = false;
    const bool told = !std::exchange(row.expiry_owed, std::nullopt);
    if (told && !row.owed)
      owe(name,
          options_.expired == ExpiredPolicy::reject ? ChangeKind::change : ChangeKind::refresh);
    touch(name, true);
    return;
  }
  // Looked at first without making a copy of what is known: this runs for every input.
  if (!name.row.record || name.row.stale || !expired(*name.row.record, now_.wall)) return;
  const auto decision = decide_expiry(known(name), options_.expired, now_.wall);
  if (!decision.notify) return;
  ++counts_[decision.row];
  owe_expiry(name, *decision.notify);
}

}  // namespace ipnscast::sync
