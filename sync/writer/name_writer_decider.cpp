// One place decides, where one can: how a NameWriter takes what it answers.
#include <algorithm>

#include "ipnscast/sync/writer/name_writer.h"

namespace ipnscast::sync {
namespace {

constexpr int kMostPuts = 8;

}  // namespace

using AnswerResult = writer_action::Answer::Result;
using Kind = WriterWork::Kind;
using Step = WriterWork::Step;

void NameWriter::put_at_decider(std::optional<Bytes> instead_of) {
  work_->step = Step::decide;
  work_->job = next_job();
  work_->deadline = now_.steady + options_.decide_by;
  emit(writer_action::Decide{work_->job, work_->seen->record, std::move(instead_of)});
}

// The decider has another record than we thought.
void NameWriter::ruling(const std::optional<SeenRecord>& stored) {
  const SeenRecord& ours = *work_->seen;
  const bool own_value = work_->kind != Kind::renew && work_->kind != Kind::repeat;
  const OwnPublish* const row = work_->reserved ? tentative() : nullptr;
  if (stored) {
    const auto entry =
        row != nullptr && stored->vector ? stored->vector->of(row->tag) : std::nullopt;
    if (stored->record.bytes == ours.record.bytes || (entry && entry->count >= row->count)) {
      work_->settled = true;
      work_->winner = stored;  // to be looked at when ours is committed
      work_->step = Step::commit;
      return;
    }
  }
  if (!own_value && overtaken()) {
    abandon();
    if (stored) saw(*stored);
    return;
  }
  if (++work_->tries > kMostPuts) {
    nobody_decided();
    return;
  }
  const auto& ground = work_->ground;
  const auto& known = state_.known;
  const auto no_better = [&] {
    if (!stored) return true;
    if (!own_value) return !wins_over(stored->record, known->record);
    if (!ground) return false;
    if (stored->version() == *ground || stored->record.sequence < ground->sequence) return true;
    return stored->record.sequence == ground->sequence && known && known->version() == *ground &&
           wins_over(known->record, stored->record);
  };
  const auto etag = stored ? std::optional(stored->record.bytes) : std::nullopt;
  if (no_better()) {
    put_at_decider(etag);
    return;
  }
  if (!own_value) {
    const SeenRecord theirs = *stored;
    abandon();
    saw(theirs);
    return;
  }
  const SeenRecord theirs = *stored;
  const bool same = ground && theirs.record.value == ground->value;
  const bool over = same || (work_->asked.replace && work_->kind == Kind::publish);
  if (over && theirs.record.sequence < ours.record.sequence) {
    saw(theirs);
    put_at_decider(etag);
  } else if (over && work_->kind != Kind::resume) {
    saw(theirs);
    check_and_sign();
  } else {
    work_->winner = theirs;
    drop_tentative(work_->kind == Kind::resume);
  }
}

void NameWriter::read_back() {
  if (!work_->give_up) work_->give_up = now_.steady + options_.decide_by;
  if (*work_->give_up <= now_.steady) {
    nobody_decided();
    return;
  }
  work_->step = Step::read_back;
  work_->job = next_job();
  work_->deadline = std::min(*work_->give_up, now_.steady + options_.ask_by);
  emit(writer_action::AskDecider{work_->job});
}

// The decider cannot be asked.
void NameWriter::nobody_decided() {
  const bool own_value = work_->kind != Kind::renew && work_->kind != Kind::repeat;
  if (!own_value && overtaken()) {
    abandon();
    return;
  }
  if (!work_->asked.expect) {
    work_->step = Step::commit;
  } else if (work_->perhaps) {
    finish(AnswerResult::perhaps);
  } else {
    drop_tentative(false);
  }
}

// The reserved row goes, or becomes a lost one when nobody waits for the answer any more.
void NameWriter::drop_tentative(bool lost) {
  if (OwnPublish* const row = tentative(); row != nullptr && lost) {
    row->state = OwnPublish::State::lost;
    row->theirs = work_->winner;
    row->certain = true;
    row->told = false;
    const SeenRecord theirs = *work_->winner;
    touch();
    abandon();
    plan_resolution();
    saw(theirs);
    return;
  }
  if (work_->reserved) {
    work_->step = Step::drop;
  } else {
    if (work_->winner) saw(*work_->winner);
    finish(work_->winner ? AnswerResult::conflict : AnswerResult::unreachable);
  }
}

}  // namespace ipnscast::sync
