// How a NameWriter publishes: ask, compare, sign.
#include <algorithm>

#include "ipnscast/sync/writer/name_writer.h"

namespace ipnscast::sync {
namespace {

constexpr int kMostSignings = 8;  // to sign

}  // namespace

using AnswerResult = writer_action::Answer::Result;
using Kind = WriterWork::Kind;
using Step = WriterWork::Step;

// One thing at a time. What an earlier one left open comes first.
void NameWriter::begin_work() {
  if (work_) return;
  const bool queued = std::any_of(state_.own.begin(), state_.own.end(),
                                  [](const auto& own) { return own.alive() && own.queued; });
  if (const OwnPublish* const open = tentative();
      open != nullptr && (resume_at_ <= now_.steady || !waiting_.empty())) {
    Work work;
    work.kind = Kind::resume;
    work.seen = open->seen;
    work.ground = open->made_on;
    work.asked.value = open->value();
    work.asked.expect = open->expected;
    work.reserved = true;
    work.perhaps = true;
    resume_at_ = now_.steady + options_.ask_again;
    begin(std::move(work));
  } else if (queued && !places_.connected.empty() && flush_at_ <= now_.steady) {
    Work work;
    work.kind = Kind::flush;
    flush_at_ = now_.steady + options_.ask_again;
    begin(std::move(work));
  } else if (!waiting_.empty()) {
    Work work = std::move(waiting_.front());
    waiting_.pop_front();
    begin(std::move(work));
  } else if (queued) {
    return;  // what nobody has heard of is not renewed
  } else if (repeat_at_ && *repeat_at_ <= now_.steady) {
    repeat_at_.reset();
    Work work;
    work.kind = Kind::repeat;
    begin(std::move(work));
  } else if (renewal_due_) {
    renewal_due_ = false;
    Work work;
    work.kind = Kind::renew;
    begin(std::move(work));
  }
}

void NameWriter::begin(Work work) {
  work_ = std::move(work);
  ask();
}

void NameWriter::ask() {
  work_->step = Step::ask;
  work_->job = next_job();
  work_->deadline = now_.steady + options_.ask_by;
  emit(writer_action::Ask{work_->job});
}

// Everybody was asked, and what they know is known.
void NameWriter::go_on() {
  const bool own_knowledge = state_.known || state_.highest.value > 0;
  switch (work_->kind) {
    case Kind::publish:
    case Kind::resolution:
      if (!work_->answered && !own_knowledge && !work_->asked.force) {
        finish(AnswerResult::unreachable);
      } else {
        check_and_sign();
      }
      return;
    case Kind::renew:
    case Kind::repeat: {
      const bool contested =
          state_.contested && state_.contested->sequence == state_.known->record.sequence;
      // A sequence with two values is never renewed.
      if (!work_->answered || contested != (work_->kind == Kind::repeat)) {
        abandon();
      } else {
        check_and_sign();
      }
      return;
    }
    case Kind::resume:
      if (!decider_) {
        work_->step = Step::commit;
      } else if (work_->answered) {
        read_back();
      } else {
        nobody_decided();
      }
      return;
    case Kind::flush: {
      const OwnPublish* const last = head();
      if (!work_->answered || last == nullptr || !last->queued) {
        abandon();
        return;
      }
      work_->seen = last->seen;
      work_->asked.value = last->value();
      work_->step = Step::commit;
      return;
    }
  }
}

// An edit that was made before something else was taken in does not rest on that.
const std::optional<WriterState::Base>& NameWriter::base_of(const Work& work) const {
  return work.chained && work.taken_in == taken_in_ ? state_.base : work.base_then;
}

// What the value is made on.
std::optional<Version> NameWriter::ground_of(const Work& work) const {
  if (work.theirs) return work.theirs->version();
  if (replaces(work)) return std::nullopt;
  if (work.asked.based_on) return work.asked.based_on;
  const auto& base = base_of(work);
  if (!base) return std::nullopt;
  return base->version;
}

// It knowingly goes over what it was not made on: so does a compare-and-set whose edit was made on
// something else. Whose version that is will be told, as the vector does not contain it.
bool NameWriter::replaces(const Work& work) const {
  if (work.asked.replace) return true;
  if (!work.asked.expect || work.asked.based_on || !state_.known) return false;
  const auto& base = base_of(work);
  return !base || base->version.value != state_.known->record.value;
}

// Somebody has what this was not made on.
bool NameWriter::refused(const Work& work) const {
  const auto& known = state_.known;
  if (work.theirs) return !known || known->version() != work.theirs->version();
  if (work.asked.expect) {
    const Sequence at = known ? known->record.sequence : Sequence{0};
    if (*work.asked.expect != at) return true;
  }
  if (replaces(work)) return false;
  const auto ground = ground_of(work);
  if (!known) return work.asked.based_on.has_value();
  return !ground || ground->value != known->record.value ||
         ground->sequence > known->record.sequence;
}

std::optional<VersionVector> NameWriter::vector_for(const Work& work) const {
  const auto& known = state_.known;
  const auto known_vector = known ? known->vector : std::nullopt;
  if (work.kind == Kind::renew || work.kind == Kind::repeat) return known_vector;
  VersionVector vector;
  if (work.kind == Kind::resolution) {
    vector = work.joined->vector.value_or(VersionVector{});
    if (!work.asked.replace)
      vector.join(work.joined->record.sequence, known_vector.value_or(VersionVector{}),
                  known->record.sequence);
  } else if (!replaces(work)) {
    if (known_vector) {
      vector = *known_vector;
    } else if (known && state_.base && state_.base->vector &&
               state_.base->version == known->version()) {
      vector = *state_.base->vector;
    }
  } else if (const auto& base = base_of(work)) {
    vector = base->vector.value_or(VersionVector{});
  } else if (known_vector) {
    vector = *known_vector;
    vector.forget_last();
  }
  return vector;
}

void NameWriter::check_and_sign() {
  const bool own_value = work_->kind == Kind::publish || work_->kind == Kind::resolution ||
                         work_->kind == Kind::resume;
  const auto& known = state_.known;
  if (own_value && work_->kind != Kind::resume && refused(*work_)) {
    if (work_->reserved) {
      work_->winner = known;
      drop_tentative(false);
    } else {
      finish(AnswerResult::conflict);
    }
    return;
  }
  if (++work_->tries > kMostSignings) {
    if (work_->reserved) {
      work_->winner = known;
      drop_tentative(work_->kind == Kind::resume);
    } else {
      finish(AnswerResult::failed);
    }
    return;
  }
  Sequence sequence{std::max(known ? known->record.sequence.value : 0, state_.highest.value) + 1};
  if (work_->kind == Kind::renew) sequence = known->record.sequence;
  if (sequence.value > kMaxSequence) {
    finish(AnswerResult::failed);
    return;
  }
  auto vector = work_->kind == Kind::resume ? work_->seen->vector : vector_for(*work_);
  if (own_value && !options_.job) {
    const OwnPublish* const row = work_->reserved ? tentative() : nullptr;
    const uint64_t count = row != nullptr ? row->count : state_.count + 1;
    vector = vector.value_or(VersionVector{});
    vector->raise(row != nullptr ? row->tag : state_.tag, {count, sequence});
  }
  if (work_->kind != Kind::resume) {
    work_->ground = own_value ? ground_of(*work_) : std::nullopt;
    if (!own_value) work_->asked.value = known->record.value;
  }
  work_->known_then = known;
  work_->seen = SeenRecord{{}, vector};
  work_->step = Step::sign;
  work_->job = next_job();
  const bool carried = vector && (options_.vector || !own_value) && !vector->entries().empty();
  emit(writer_action::Sign{work_->job, work_->asked.id, work_->asked.value, sequence,
                           work_->kind == Kind::renew, carried ? vector : std::nullopt});
}

bool NameWriter::overtaken() const {
  const auto version = [](const std::optional<SeenRecord>& seen) {
    return seen ? std::optional(seen->version()) : std::nullopt;
  };
  return version(state_.known) != version(work_->known_then);
}

// The latest knowledge counts once more.
void NameWriter::after_signing() {
  if (overtaken()) {
    if (work_->kind == Kind::renew || work_->kind == Kind::repeat) {
      abandon();
    } else {
      check_and_sign();
    }
    return;
  }
  const bool own_value = work_->kind != Kind::renew && work_->kind != Kind::repeat;
  if (!decider_ || !work_->answered) {
    work_->step = Step::commit;
  } else if (own_value && !options_.job) {
    work_->step = Step::reserve;
  } else {
    work_->give_up = now_.steady + options_.decide_by;
    put_at_decider(state_.known ? std::optional(state_.known->record.bytes) : std::nullopt);
  }
}

void NameWriter::abandon() {
  work_.reset();
  if (state_.contested && !repeat_at_) plan_repeat();
}

void NameWriter::finish(AnswerResult result) {
  const Kind kind = work_->kind;
  if (result == AnswerResult::perhaps) {
    // It is asked again later, and nothing goes past it.
    resume_at_ = now_.steady + options_.ask_again;
    for (Work& other : std::exchange(waiting_, {})) {
      if (other.kind == Kind::resolution) plan_resolution();
      if (other.asked.id)
        emit(writer_action::Answer{.id = other.asked.id, .result = AnswerResult::unreachable});
    }
  }
  Pending pending;
  pending.answer.id = work_->asked.id;
  pending.answer.result = result;
  pending.answer.winner = work_->winner;
  if (result == AnswerResult::conflict && !pending.answer.winner)
    pending.answer.winner = state_.known;
  pending.revision = revision_;
  if (pending.answer.id) answers_.push_back(std::move(pending));
  work_.reset();
  if (kind != Kind::resolution) return;
  if (result == AnswerResult::conflict)
    plan_resolution();
  else
    resolve_later();
}

}  // namespace ipnscast::sync
