#include "ipnscast/nostr/base/retry.h"
#include "ipnscast/sync/engine/engine.h"

namespace ipnscast::sync {

using What = TrackedName::Delivering::What;

void Engine::touch(Tracked& name, bool substance) {
  ++name.revision;
  if (substance) name.substance = name.revision;
}

void Engine::commit_if_dirty(Tracked& name) {
  if (name.commit || !name.dirty()) return;
  if (name.commit_failures > 0 && name.commit_retry > now_.steady) return;
  name.commit = Tracked::Committing{next_job(), name.revision, std::exchange(name.notes, {})};
  commits_.emplace(name.commit->job, name.row.name);
  emit(action::Commit{name.commit->job, {name.row}, name.commit->notes});
}

void Engine::take(input::Committed& in) {
  const auto asked = commits_.find(in.job);
  if (asked == commits_.end()) return;
  Tracked* name = tracked(asked->second);
  commits_.erase(asked);
  if (name == nullptr || !name->commit || name->commit->job != in.job) return;
  if (in.status) {
    name->committed = name->commit->revision;
    name->commit_failures = 0;
  } else {
    name->notes.insert(name->notes.begin(), name->commit->notes.begin(), name->commit->notes.end());
    name->commit_failures = std::min(name->commit_failures + 1, 1'000);
    name->commit_retry = now_.steady + retry_after(name->commit_failures);
  }
  name->commit.reset();
  advance(*name);
}

// While two publishers flip one sequence, hand-overs wait until the hour of the alarm is over.
std::optional<Instant> Engine::held_until(const Tracked& name) const {
  if (name.row.owed != ChangeKind::conflict) return std::nullopt;
  if (writers_ != nullptr && writers_->owes_report(name.row.name)) return std::nullopt;
  if (name.flips.size() <= static_cast<size_t>(kConflictFlipsPerHour)) return std::nullopt;
  return name.flips.front() + std::chrono::hours(1);
}

// Nothing is handed over that a crash could make unknown again: the row first, then the handler.
std::optional<TrackedName::Delivering> Engine::due(const Tracked& name) const {
  const auto& row = name.row;
  if (!name.has_handler || name.delivery || name.committed < name.substance) return std::nullopt;
  if (name.attempts > 0 && name.next_attempt > now_.steady) return std::nullopt;
  const auto one = [&](What what, Change change, std::optional<OwnPublish> displaced = {}) {
    return Tracked::Delivering{
        {}, what, name.generation, row.heard, std::move(change), std::move(displaced)};
  };
  const bool behind = owes_older(name);
  if (row.withdraw_owed) {
    Change change = change_of(name, ChangeKind::withdrawn);
    change.value = value_of(*row.withdraw_owed);
    change.cid = row.withdraw_owed;
    return one(What::withdrawal, std::move(change));
  }
  std::optional<OwnPublish> displaced;
  if (writers_ != nullptr && writers_->owes_report(row.name)) {
    const auto report = writers_->report(row.name);
    if (!report) return std::nullopt;
    const bool both =
        report->conflict && row.owed == ChangeKind::conflict && row.loser == report->ours.value();
    if (!both || behind) return one(What::report, displaced_change(name, *report), report->ours);
    displaced = report->ours;
  }
  if (behind) {
    if (!older_ready(name)) return std::nullopt;
    auto older = one(name.older->replay ? What::replay : What::older, older_change(name));
    older.number = name.older->version->number;
    return older;
  }
  if (row.owed) {
    if (!content_ready(name)) return std::nullopt;
    if (const auto held = held_until(name); held && *held > now_.steady) return std::nullopt;
    return one(What::record, change_of(name, *row.owed), std::move(displaced));
  }
  if (row.expiry_owed) return one(What::expiry, expiry_change(name));
  if (row.provisional && name.provisional_due) {
    Change change = change_of(name, ChangeKind::provisional);
    change.value = value_of(row.provisional->cid);
    change.cid = row.provisional->cid;
    change.author = row.provisional->author;
    if (name.following) {
      change.sequence = name.following->news.sequence.value_or(Sequence{});
      change.source = name.following->news.source.kind;
    }
    return one(What::provisional, std::move(change));
  }
  return std::nullopt;
}

void Engine::deliver_if_due(Tracked& name) {
  revoke_if_late(name);
  auto what = due(name);
  if (!name.pulls) {
    if (what) deliver(name, std::move(*what));
    return;
  }
  if (name.offered == what.has_value()) return;
  name.offered = what.has_value();
  emit(action::Offer{name.row.name, name.offered});
}

// The newest of what waits.
void Engine::take(input::Take& in) {
  Tracked* const name = tracked(in.name);
  auto what = name != nullptr && name->active() && name->pulls ? due(*name) : std::nullopt;
  if (name != nullptr) name->offered = false;
  if (!what) emit(action::Offer{in.name, false});
  if (name == nullptr) return;
  if (what) {
    what->until = now_.steady + options_.handler_timeout;
    deliver(*name, std::move(*what));
  }
  advance(*name);
}

void Engine::revoke_if_late(Tracked& name) {
  if (!name.delivery || !name.delivery->until || *name.delivery->until > now_.steady) return;
  name.delivery->until.reset();
  emit(action::Revoke{name.row.name, name.delivery->job});
}

// Speaks of what the handler has: what it refused is none of its business.
Change Engine::expiry_change(const Tracked& name) const {
  const auto& row = name.row;
  Change change = change_of(name, *row.expiry_owed);
  if (!refused_latest(name) || !row.handed) return change;
  change.sequence = row.handed->sequence;
  change.value = row.handed->value;
  change.cid = row.handed->cid;
  return change;
}

void Engine::deliver(Tracked& name, Tracked::Delivering what) {
  what.job = next_job();
  what.change.attempt = name.attempts + 1;
  Change change = what.change;
  name.delivery = std::move(what);
  emit(action::Deliver{name.row.name, name.delivery->job, std::move(change), name.pulls});
}

// A publish of this device was displaced by a version that does not contain it.
Change Engine::displaced_change(const Tracked& name, const LossReport& report) const {
  Change change = change_of(name, ChangeKind::lost);
  change.other_value = report.ours.value();
  change.certain = report.ours.certain;
  change.common = report.common;
  if (const auto& theirs = report.ours.theirs) {
    change.sequence = theirs->record.sequence;
    change.value = theirs->record.value;
    change.cid = root_of(theirs->record.value);
  }
  return change;
}

Change Engine::change_of(const Tracked& name, ChangeKind kind) const {
  const auto& row = name.row;
  Change change{.kind = kind,
                .name = row.name,
                .sequence = {},
                .value = {},
                .cid = {},
                .previous = {},
                .other_value = {},
                .source = row.source.kind,
                .author = row.author,
                .unconfirmed_freshness = row.unconfirmed_freshness,
                .timing = {name.confirmed_after, name.fetched_after},
                .seen = row.seen};
  if (row.record) {
    change.sequence = row.record->sequence;
    change.value = row.record->value;
    change.cid = root_of(row.record->value);
    if (name.content && name.content->value == row.record->value) change.cid = name.content->cid;
    if (row.handed && row.handed->value == row.record->value) change.cid = row.handed->cid;
  }
  if (row.handed) change.previous = row.handed->cid;
  if (kind == ChangeKind::conflict) change.other_value = row.loser;
  return change;
}

void Engine::take(input::Handled& in) {
  Tracked* name = tracked(in.name);
  if (name == nullptr || !name->delivery || name->delivery->job != in.job) return;
  const auto done = std::move(*name->delivery);
  name->delivery.reset();
  switch (in.what.verdict()) {
    case Handled::Verdict::applied:
      acknowledge(*name, done);
      break;
    case Handled::Verdict::reject:
      reject(*name, done, in.what.why());
      break;
    case Handled::Verdict::retry:
      try_again(*name, done, in.what);
      break;
  }
  advance(*name);
}

// A newer version does not wait for the one that failed.
void Engine::try_again(Tracked& name, const Tracked::Delivering& done, const Handled& what) {
  // Of what our user can mend. Once for each reason, however often it is tried.
  std::string failure = done.change.value + " " + what.why().message;
  if (what.why().code == Errc::internal && name.told_failure != failure) {
    name.told_failure = std::move(failure);
    emit(action::Alarm{name.row.name, "sequence " + std::to_string(done.change.sequence.value) +
                                          " (" + std::string(to_string(done.change.kind)) +
                                          ") could not be handed over: " + what.why().message +
                                          "; it comes again"});
  }
  const bool gives_way = done.what != What::older && done.what != What::replay &&
                         !(done.what == What::record && name.every_version);
  if (gives_way && done.generation != name.generation) return;
  name.attempts = std::min(name.attempts + 1, 1'000'000);
  const Milliseconds wait = what.after() ? std::clamp(*what.after(), kSoonestRetry, kLatestRetry)
                                         : retry_after(name.attempts);
  name.next_attempt = now_.steady + wait;
}

bool Engine::refused_latest(const Tracked& name) {
  const auto& row = name.row;
  return row.rejected && row.record && *row.rejected == row.record->version();
}

// Where versions come one after the other, the next one waits until it is committed that this one
// is over: otherwise it would come again behind the next one, after a crash.
bool Engine::ends_a_version(const Tracked& name, const Tracked::Delivering& done) {
  return name.every_version || done.what == What::older || done.what == What::replay;
}

// The content that the handler has stays, and this version is not offered again.
void Engine::reject(Tracked& name, const Tracked::Delivering& done, const Error& why) {
  auto& row = name.row;
  const Version version{done.change.sequence, done.change.value};
  const bool has_it =
      row.handed && row.handed->sequence == version.sequence && row.handed->value == version.value;
  const bool provisional = done.what == What::provisional;
  const bool newest = row.record && row.record->version() == version;
  if (done.what == What::record && !has_it) row.rejected = version;
  if (done.what == What::older && newest) row.rejected = version;
  if (done.what == What::record || done.what == What::older || done.what == What::replay)
    pass(name, done, !has_it);
  if (provisional) name.refused_claim = version;
  if (done.what == What::record && done.generation == name.generation) row.owed.reset();
  if (done.what == What::expiry && row.expiry_owed == done.change.kind) row.expiry_owed.reset();
  if (provisional) {
    name.provisional_due = false;
    if (row.provisional && row.provisional->cid == done.change.cid) row.provisional.reset();
  }
  if (provisional || done.what == What::withdrawal) {
    if (row.withdraw_owed == done.change.cid) row.withdraw_owed.reset();
  }
  // What came up meanwhile about what is refused by now.
  if (provisional && row.record && row.record->version() == version) row.rejected = version;
  if (refused_latest(name)) {
    row.owed.reset();
    if (!row.handed) row.expiry_owed.reset();
    settle_newest(name);
  }
  if (done.displaced) writers_->told(row.name, *done.displaced);
  name.attempts = 0;
  touch(name, ends_a_version(name, done));
  emit(action::Alarm{row.name, "sequence " + std::to_string(version.sequence.value) + " (" +
                                   version.value + ") is refused: " + why.message +
                                   "; what was handed over before stays"});
}

// What the application publishes next is made on it.
void Engine::take_in(Tracked& name, const Change& change) {
  auto& row = name.row;
  if (!name.takes_in || !row.record) return;
  const Version version{change.sequence, change.value};
  if (!row.taken || row.taken->sequence <= version.sequence) row.taken = version;
  if (writers_ != nullptr && row.record->version() == version)
    writers_->taken_in(row.name, *row.record);
}

// The handler has it. What came up meanwhile is owed still.
void Engine::acknowledge(Tracked& name, const Tracked::Delivering& done) {
  auto& row = name.row;
  const bool latest = done.generation == name.generation;
  switch (done.what) {
    case What::record:
    case What::older:
      // Unless the application published meanwhile.
      if (row.passed <= done.number)
        row.handed = NameRow::Handed{done.change.sequence, done.change.value, done.change.cid};
      if (latest && done.what == What::record) row.owed.reset();
      take_in(name, done.change);
      pass(name, done, false);
      break;
    case What::replay:
      pass(name, done, false);
      break;
    case What::expiry:
      if (row.expiry_owed == done.change.kind) row.expiry_owed.reset();
      if (done.change.kind == ChangeKind::withdrawn) row.handed.reset();
      break;
    case What::provisional:
      name.provisional_due = false;
      break;
    case What::withdrawal:
      if (row.withdraw_owed == done.change.cid) row.withdraw_owed.reset();
      break;
    case What::report:
      break;
  }
  if (done.displaced) writers_->told(row.name, *done.displaced);
  name.attempts = 0;
  name.told_failure.clear();
  touch(name, ends_a_version(name, done));
}

}  // namespace ipnscast::sync
