// What a NameWriter's commits make of its state.
#include <algorithm>

#include "ipnscast/sync/writer/name_writer.h"

namespace ipnscast::sync {

using AnswerResult = writer_action::Answer::Result;
using Kind = WriterWork::Kind;
using Step = WriterWork::Step;

// What the commit of this step makes of the state.
void NameWriter::apply(WriterState& state, const Work& work) const {
  using State = OwnPublish::State;
  const auto reserved = [](const OwnPublish& own) { return own.state == State::tentative; };
  if (work.step == Step::drop) {
    std::erase_if(state.own, reserved);
    return;
  }
  const SeenRecord& ours = *work.seen;
  if (work.kind == Kind::flush) {
    for (OwnPublish& own : state.own) {
      if (own.alive() && own.queued) own.queued = false;
      if (work.settled && own.alive() && own.seen.record == ours.record) own.state = State::settled;
    }
    state.owed = ours;
    state.before_queue.reset();
    return;
  }
  const bool own_value = work.kind != Kind::renew && work.kind != Kind::repeat;
  if (own_value && !options_.job) {
    auto row = std::find_if(state.own.begin(), state.own.end(), reserved);
    if (row == state.own.end()) {
      OwnPublish fresh;
      fresh.tag = state.tag;
      fresh.count = ++state.count;
      row = state.own.insert(state.own.end(), std::move(fresh));
    }
    row->seen = ours;
    row->made_on = work.asked.replace ? std::nullopt : work.ground;
    row->expected = work.asked.expect;
    row->state = work.step == Step::reserve ? State::tentative
                 : work.settled             ? State::settled
                                            : State::sent;
    row->queued = !work.answered && work.kind != Kind::resume;
    if (work.step != Step::reserve) row->expected.reset();
  }
  state.highest = std::max(state.highest, ours.record.sequence);
  if (work.step == Step::reserve) return;
  const bool queued = own_value && !work.answered && work.kind != Kind::resume;
  if (queued && !state.before_queue) state.before_queue = state.known;
  if (own_value && !queued) {  // everybody was asked: what was queued goes with this one
    for (OwnPublish& own : state.own) own.queued = false;
    state.before_queue.reset();
  }
  if (own_value) {
    // This publish deals with what was lost before it.
    OwnPublish* const row_of = options_.job ? nullptr : &state.own.back();
    for (OwnPublish& own : state.own) {
      if (own.state != State::lost) continue;
      if (work.kind == Kind::resolution || own.value() == ours.record.value ||
          (!own.certain && own.told && work.ground))
        own.state = State::acknowledged;
      if (own.value() == ours.record.value && row_of != nullptr && own.tag == row_of->tag)
        row_of->twin = OwnPublish::Twin{own.tag, own.count};
    }
    // What a program made of a conflict reaches the application as a change, and so does a publish
    // during which it took in something else.
    const bool shown = work.kind != Kind::resume && work.taken_in == taken_in_;
    if (work.kind != Kind::resolution && shown)
      state.base = WriterState::Base{ours.version(), ours.vector};
  } else if (state.base && state.base->version.value == ours.record.value) {
    state.base = WriterState::Base{ours.version(), ours.vector};
  }
  if (!state.known || !wins_over(state.known->record, ours.record)) {
    state.known = ours;
    if (!queued) state.owed = ours;
    if (state.contested && state.contested->sequence < ours.record.sequence)
      state.contested.reset();
  }
  if (queued) state.owed.reset();
}

// The commit of this step is through.
void NameWriter::applied() {
  Work& work = *work_;
  if (work.step == Step::drop) {
    apply(state_, work);
    if (work.winner) saw(*work.winner);
    finish(work.winner ? AnswerResult::conflict : AnswerResult::unreachable);
    return;
  }
  if (work.step == Step::reserve) {
    apply(state_, work);
    work.reserved = true;
    if (!work.give_up) work.give_up = now_.steady + options_.decide_by;
    put_at_decider(state_.known ? std::optional(state_.known->record.bytes) : std::nullopt);
    return;
  }
  // What came while it was being written may be better, or stand beside it.
  const auto meanwhile = state_.known;
  if (work.asked.for_followers) for_followers_ = work.seen->version();
  apply(state_, work);
  const bool own_value = work.kind != Kind::renew && work.kind != Kind::repeat;
  if (own_value && work.kind != Kind::flush && !options_.job) {
    const auto row = std::find_if(state_.own.begin(), state_.own.end(), [&](const auto& own) {
      return own.seen.record == work.seen->record;
    });
    settle_until_[{row->tag, row->count}] = now_.steady + options_.settle;
    if (!places_.broadcast) unheard_ = row->seen.record.bytes;
    Pending pending;
    pending.answer = {.id = work.asked.id,
                      .result = row->queued ? AnswerResult::queued : AnswerResult::published,
                      .version = row->seen.version(),
                      .settled = work.settled,
                      .undecided = !work.settled};
    pending.tag = row->tag;
    pending.count = row->count;
    if ((work.asked.wait || work.asked.expect) && !work.settled && !row->queued)
      pending.settling = now_.steady + options_.settle;
    answers_.push_back(std::move(pending));
  } else if (work.kind == Kind::publish) {
    Pending pending;
    pending.answer = {.id = work.asked.id,
                      .result = work.answered ? AnswerResult::published : AnswerResult::queued,
                      .version = work.seen->version(),
                      .settled = work.settled,
                      .undecided = !work.settled};
    answers_.push_back(std::move(pending));
  }
  if (work.kind == Kind::resolution) resolve_failures_ = 0;
  const SeenRecord ours = *work.seen;
  const auto winner = work.winner;
  work_.reset();
  prune();
  // Whichever of the two is better now.
  if (meanwhile && meanwhile->version() != ours.version()) {
    learn(*meanwhile);
    learn(ours);
  }
  weigh();
  if (winner && winner->record.bytes != ours.record.bytes) saw(*winner);
  if (state_.contested && !repeat_at_) plan_repeat();
}

}  // namespace ipnscast::sync
