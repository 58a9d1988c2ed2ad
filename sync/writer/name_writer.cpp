#include "ipnscast/sync/writer/name_writer.h"

#include <algorithm>

#include "ipnscast/nostr/base/retry.h"

namespace ipnscast::sync {

using AnswerResult = writer_action::Answer::Result;

// Names the overload for std::visit.
struct NameWriter::Dispatch {
  NameWriter& writer;
  template <typename In>
  void operator()(In& in) const {
    writer.take(in);
  }
};

NameWriter::NameWriter(Options options, WriterState stored, uint64_t seed)
    : options_(options), state_(std::move(stored)), rng_(seed), decider_(options.decider) {}

std::vector<WriterAction> NameWriter::handle(WriterInput input, Now now) {
  const bool first = now_.steady == Instant();
  now_ = now;
  out_.clear();
  if (first) {  // what the last run left behind
    plan_repeat();
    for (const OwnPublish& own : state_.own)
      settle_until_[{own.tag, own.count}] = now_.steady + options_.settle;
  }
  std::visit(Dispatch{*this}, input);
  // Who is connected is told right before.
  const bool due = std::holds_alternative<writer_input::Tick>(input) ||
                   std::holds_alternative<writer_input::Places>(input);
  if (const auto theirs = due ? refused_everywhere() : std::nullopt) give_way_to(*theirs);
  advance();
  return std::move(out_);
}

Milliseconds NameWriter::random_wait(Milliseconds most) {
  return Milliseconds(std::uniform_int_distribution<int64_t>(0, most.count())(rng_));
}

void NameWriter::take(writer_input::Publish& in) {
  Work work;
  work.asked = std::move(in);
  work.taken_in = taken_in_;
  work.base_then = state_.base;
  const auto rests_on = [&](const Work& before) {
    return before.kind == Work::Kind::publish && before.taken_in == taken_in_;
  };
  work.chained =
      (work_ && rests_on(*work_)) || std::any_of(waiting_.begin(), waiting_.end(), rests_on);
  if (waiting_.size() >= options_.max_waiting) {
    emit(writer_action::Answer{.id = work.asked.id, .result = AnswerResult::failed});
    return;
  }
  waiting_.push_back(std::move(work));
}

void NameWriter::take(writer_input::Renew&) { renewal_due_ = state_.known.has_value(); }

void NameWriter::take(writer_input::Saw& in) {
  if (!in.place.empty()) shown_.insert_or_assign(in.place, in.seen);
  saw(in.seen);
}

void NameWriter::take(writer_input::Asked& in) {
  if (!work_ || work_->step != Work::Step::ask || work_->job != in.job) return;
  work_->answered = in.answered;
  decider_ = in.decider.value_or(decider_);
  if (work_->asked.expect && !in.all && !work_->asked.force) {
    finish(AnswerResult::unreachable);
    return;
  }
  go_on();
}

void NameWriter::take(writer_input::Signed& in) {
  if (!work_ || work_->step != Work::Step::sign || work_->job != in.job) return;
  if (!in.record) {
    const auto kind = work_->kind;
    if (kind == Work::Kind::resume || kind == Work::Kind::renew || kind == Work::Kind::repeat) {
      abandon();  // all stays as it is, for another time or another run
    } else if (work_->reserved) {
      drop_tentative(false);
    } else {
      finish(AnswerResult::failed);
    }
    return;
  }
  work_->seen->record = std::move(*in.record);
  after_signing();
}

void NameWriter::take(writer_input::Committed& in) {
  if (!commit_ || commit_->job != in.job) return;
  const Committing done = *commit_;
  commit_.reset();
  if (!in.ok) {
    commit_failures_ = std::min(commit_failures_ + 1, 1'000);
    commit_retry_ = now_.steady + retry_after(commit_failures_);
    // Nothing of it is in the file. A publish is told so; what was learned is written again.
    if (done.of_work && work_ && work_->step == Work::Step::reserve && !work_->reserved)
      finish(AnswerResult::failed);
    if (done.of_work && work_ && work_->step == Work::Step::commit && !work_->reserved)
      finish(AnswerResult::failed);
    return;
  }
  commit_failures_ = 0;
  committed_ = std::max(committed_, done.revision);
  if (done.of_work) applied();
}

void NameWriter::take(writer_input::Decided& in) {
  if (!work_ || work_->step != Work::Step::decide || work_->job != in.job) return;
  using Said = writer_input::Decided::Answer;
  if (in.answer == Said::stored) {
    work_->settled = true;
    work_->step = Work::Step::commit;
  } else if (in.answer == Said::refused) {
    ruling(in.stored);
  } else if (in.never_sent && !work_->perhaps) {
    nobody_decided();
  } else {
    work_->perhaps = true;
    read_back();
  }
}

void NameWriter::take(writer_input::DeciderHas& in) {
  if (!work_ || work_->step != Work::Step::read_back || work_->job != in.job) return;
  if (in.answered) {
    ruling(in.stored);
  } else {
    work_->deadline = now_.steady + Milliseconds(1'000);  // and again
    work_->job = {};
  }
}

void NameWriter::take(writer_input::Places& in) {
  const auto& before = places_.connected;
  const bool more =
      !std::includes(before.begin(), before.end(), in.connected.begin(), in.connected.end());
  // What a place showed before it went away says nothing about now.
  std::erase_if(shown_, [&](const auto& shown) { return !in.connected.contains(shown.first); });
  places_ = std::move(in);
  if (places_.broadcast) unheard_.reset();
  if (!more) return;
  resume_at_ = now_.steady;
  flush_at_ = now_.steady;
}

void NameWriter::take(writer_input::ShowsNothing& in) { shown_.erase(in.place); }

void NameWriter::take(writer_input::TakenIn& in) {
  if (!state_.known) return;
  ++taken_in_;
  const Version version = in.seen.version();
  const bool current = version == state_.known->version();
  const auto& base = state_.base;
  // What was taken in late does not undo what was taken in since. The current one always counts:
  // the base may be a publish that nobody heard of and that gave way.
  if (base && !current && version.sequence <= base->version.sequence) return;
  WriterState::Base next{version, current ? state_.known->vector : in.seen.vector};
  if (base == next) return;
  state_.base = std::move(next);
  touch();
}

void NameWriter::take(writer_input::Told& in) { told(in.tag, in.count); }

void NameWriter::told(const DeviceTag& tag, uint64_t count) {
  for (OwnPublish& own : state_.own) {
    if (own.state != OwnPublish::State::lost || own.told) continue;
    if (own.tag != tag || own.count != count) continue;
    own.told = true;
    touch();
  }
}

void NameWriter::take(writer_input::Resolved& in) {
  using Choice = writer_input::Resolved::Choice;
  const OwnPublish* const ours = unresolved();
  const bool asked = resolving_ && resolving_->job == in.job;
  std::optional<Resolving> was;
  if (asked) was = std::exchange(resolving_, std::nullopt);
  // A merge of what is over by now is dropped.
  const bool over = !asked || ours == nullptr || state_.known->version() != was->theirs.version();
  if (over && in.id)
    emit(writer_action::Answer{
        .id = in.id, .result = AnswerResult::conflict, .winner = state_.known});
  if (over) {
    if (asked) plan_resolution();
    return;
  }
  if (in.choice == Choice::wait) return;
  if (in.choice == Choice::later) {
    resolve_later();
    return;
  }
  if (in.choice == Choice::theirs) {
    writer_input::Acknowledge all;
    take(all);
    return;
  }
  Work work;
  work.kind = Work::Kind::resolution;
  work.theirs = was->theirs;
  work.asked.id = in.id;
  work.asked.value = ours->value();
  work.asked.replace = in.choice == Choice::ours;
  work.joined = ours->seen;
  if (!work.asked.replace) {
    work.asked.value = std::move(in.value);
    work.asked.based_on = was->theirs.version();
  }
  waiting_.push_front(std::move(work));
}

void NameWriter::take(writer_input::ProgramDecides& in) {
  resolves_ = in.there;
  if (!resolves_) {
    resolving_.reset();
    resolve_at_.reset();
  } else if (!resolving_) {
    plan_resolution();
  }
  if (state_.contested) plan_repeat();
}

void NameWriter::take(writer_input::Acknowledge&) {
  for (OwnPublish& own : state_.own) {
    if (own.state == OwnPublish::State::lost) own.state = OwnPublish::State::acknowledged;
  }
  touch();
  prune();
}

void NameWriter::take(writer_input::Identity& in) {
  new_identity_asked_ = false;
  if (in.tag == state_.tag) return;
  state_.tag = in.tag;
  state_.count = 0;
  touch();
}

void NameWriter::take(writer_input::Tick&) {
  if (!work_ || now_.steady < work_->deadline) return;
  switch (work_->step) {
    case Work::Step::ask:  // nobody said that the asking is over
      if (work_->asked.expect && !work_->asked.force) {
        finish(AnswerResult::unreachable);
      } else {
        go_on();
      }
      break;
    case Work::Step::decide:
      work_->perhaps = true;
      read_back();
      break;
    case Work::Step::read_back:
      read_back();
      break;
    default:
      break;
  }
}

// What is to happen next, from the state alone.
void NameWriter::advance() {
  begin_work();
  look_at_settling();
  commit_if_due();
  say_what_is_committed();
  commit_if_due();
  send_again();
  if (resolving_ && resolving_->deadline <= now_.steady) {
    resolving_.reset();
    resolve_later();
  }
  const OwnPublish* const lost = unresolved();
  if (resolve_at_ && *resolve_at_ <= now_.steady && !resolving_ && committed(revision_)) {
    resolve_at_.reset();
    if (lost != nullptr) {
      resolving_ = Resolving{next_job(), *state_.known, now_.steady + options_.handler_timeout};
      emit(writer_action::AskResolution{resolving_->job, *lost, *state_.known, common_of(*lost)});
    }
  }
}

void NameWriter::commit_if_due() {
  if (commit_ || (commit_failures_ > 0 && commit_retry_ > now_.steady)) return;
  const bool of_work =
      work_ && (work_->step == Work::Step::reserve || work_->step == Work::Step::drop ||
                work_->step == Work::Step::commit);
  if (!of_work && committed(revision_)) return;
  WriterState state = state_;
  if (of_work) apply(state, *work_);
  commit_ = Committing{next_job(), revision_, of_work};
  emit(writer_action::Commit{commit_->job, std::move(state)});
}

// Who waits for the outcome of a publish hears of its loss as the answer.
bool NameWriter::answer_tells_of(const OwnPublish& own) const {
  return std::any_of(answers_.begin(), answers_.end(), [&](const Pending& pending) {
    return pending.answer.result == AnswerResult::conflict && pending.tag == own.tag &&
           pending.count == own.count;
  });
}

std::optional<LossReport> NameWriter::report() const {
  if (!committed(revision_)) return std::nullopt;
  for (const OwnPublish& own : state_.own) {
    if (own.state != OwnPublish::State::lost || own.told || answer_tells_of(own)) continue;
    const bool conflict = own.theirs && own.theirs->record.sequence == own.sequence();
    return LossReport{own, conflict, common_of(own)};
  }
  return std::nullopt;
}

// Answers and what is owed go out when the file says so.
void NameWriter::say_what_is_committed() {
  if (committed(revision_)) {
    const std::optional<Bytes> owed =
        state_.owed ? std::optional(state_.owed->record.bytes) : std::nullopt;
    if (owed != sending_) {
      sending_ = owed;
      sending_since_ = now_.steady;
      sent_again_.clear();
      if (owed) emit(writer_action::Send{*state_.owed});
    }
  }
  std::erase_if(answers_, [&](Pending& pending) {
    if (!committed(pending.revision) || pending.settling) return false;
    if (pending.answer.id) emit(pending.answer);
    if (pending.answer.result == AnswerResult::conflict) told(pending.tag, pending.count);
    return true;
  });
}

}  // namespace ipnscast::sync
