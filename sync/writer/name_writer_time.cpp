// What a NameWriter does because time has passed.
#include <algorithm>

#include "ipnscast/sync/writer/name_writer.h"

namespace ipnscast::sync {

using AnswerResult = writer_action::Answer::Result;

// When what goes to all places is to go there again. Nothing: the place shows it, or nobody knows.
std::optional<Instant> NameWriter::due_again(const std::string& place) const {
  const auto shown = shown_.find(place);
  const auto& owed = state_.owed;
  if (!owed || sending_ != owed->record.bytes || shown == shown_.end()) return std::nullopt;
  const SeenRecord& there = shown->second;
  if (there.version() == owed->version() || !wins_over(owed->record, there.record))
    return std::nullopt;
  const auto last = sent_again_.find(place);
  return last == sent_again_.end() ? sending_since_ + options_.settle
                                   : last->second + options_.ask_again;
}

void NameWriter::send_again() {
  if (work_ || commit_) return;  // something newer may be on its way
  for (const std::string& place : places_.relays) {
    const auto due = due_again(place);
    if (!due || *due > now_.steady) continue;
    sent_again_.insert_or_assign(place, now_.steady);
    shown_.erase(place);
    emit(writer_action::SendAgain{*state_.owed, place});
  }
}

// When the time is over, those who waited hear how it stands.
void NameWriter::look_at_settling() {
  for (OwnPublish& own : state_.own) {
    if (own.state != OwnPublish::State::sent || own.queued) continue;
    const auto until = settle_until_.find({own.tag, own.count});
    if (until == settle_until_.end() || until->second > now_.steady) continue;
    if (!everybody_shows(own)) continue;
    own.state = OwnPublish::State::settled;
    touch();
  }
  prune();
  for (Pending& pending : answers_) {
    if (!pending.settling) continue;
    const auto own = std::find_if(state_.own.begin(), state_.own.end(), [&](const auto& one) {
      return one.tag == pending.tag && one.count == pending.count;
    });
    const bool lost = own != state_.own.end() && own->state == OwnPublish::State::lost;
    if (!lost && *pending.settling > now_.steady) continue;
    pending.settling.reset();
    pending.revision = revision_;
    if (lost) {
      pending.answer.result = AnswerResult::conflict;
      pending.answer.winner = own->theirs;
    } else {
      // One that is no longer held apart is contained in a later one.
      pending.answer.settled = own == state_.own.end() || own->state == OwnPublish::State::settled;
    }
  }
}

// What every place refused, as another value was there first, is nowhere but here, and whoever
// published the other one can never hear of it: it gives way, also where it would rank higher.
// Gives the record that all have instead.
std::optional<SeenRecord> NameWriter::refused_everywhere() const {
  if (places_.connected.empty() || places_.broadcast || !unheard_ || work_) return std::nullopt;
  const auto ours = std::find_if(state_.own.begin(), state_.own.end(), [&](const auto& own) {
    return own.state == OwnPublish::State::sent && !own.queued &&
           own.seen.record.bytes == *unheard_;
  });
  if (ours == state_.own.end() || state_.known->version() != ours->seen.version())
    return std::nullopt;
  const auto until = settle_until_.find({ours->tag, ours->count});
  if (until == settle_until_.end() || until->second > now_.steady) return std::nullopt;
  const SeenRecord* best = nullptr;
  for (const std::string& place : places_.connected) {
    const auto shown = shown_.find(place);
    if (shown == shown_.end()) return std::nullopt;
    const SeenRecord& there = shown->second;
    if (there.record.sequence != ours->sequence() || there.record.value == ours->value())
      return std::nullopt;
    if (best == nullptr || wins_over(there.record, best->record)) best = &there;
  }
  return *best;
}

std::optional<Instant> NameWriter::next_wake() const {
  std::optional<Instant> due;
  const auto at = [&](Instant when) {
    when = std::max(when, now_.steady + Milliseconds(1));
    if (!due || when < *due) due = when;
  };
  if (work_ && (work_->step == Work::Step::ask || work_->step == Work::Step::decide ||
                work_->step == Work::Step::read_back)) {
    at(work_->deadline);
  }
  if (commit_failures_ > 0 && !commit_) at(commit_retry_);
  if (resolve_at_ && !resolving_ && committed(revision_)) at(*resolve_at_);
  if (resolving_) at(resolving_->deadline);
  if (!work_) {
    bool queued = false;
    for (const OwnPublish& own : state_.own) {
      if (own.state == OwnPublish::State::tentative) at(resume_at_);
      queued |= own.alive() && own.queued;
    }
    if (queued && !places_.connected.empty()) at(flush_at_);
    if (repeat_at_ && !queued) at(*repeat_at_);
    if (!waiting_.empty()) at(now_.steady);
  }
  if (refused_everywhere()) at(now_.steady);
  for (const Pending& pending : answers_) {
    if (pending.settling) at(*pending.settling);
  }
  if (!work_ && !commit_) {
    for (const std::string& place : places_.relays) {
      if (const auto again = due_again(place)) at(*again);
    }
  }
  for (const OwnPublish& own : state_.own) {
    const auto until = settle_until_.find({own.tag, own.count});
    if (own.state == OwnPublish::State::sent && until != settle_until_.end() &&
        until->second > now_.steady)
      at(until->second);
  }
  return due;
}

}  // namespace ipnscast::sync
