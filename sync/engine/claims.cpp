#include "ipnscast/nostr/base/retry.h"
#include "ipnscast/sync/engine/engine.h"

namespace ipnscast::sync {
namespace {

using Strength = Deduplicator::Strength;

Claim claim_of(const News& news, Trust trust) {
  Claim claim;
  claim.cid = news.cid;
  claim.sequence = news.sequence;
  claim.trust = trust;
  return claim;
}

// Which of two claims that wait is worth following up: the one that claims more. The later one when
// they claim alike.
bool outweighs(const News& fresh, bool fresh_trusted, const News& held, bool held_trusted) {
  if (fresh_trusted != held_trusted) return fresh_trusted;
  if (!fresh.sequence || !held.sequence) return true;
  return *fresh.sequence >= *held.sequence;
}

}  // namespace

Trust Engine::trust_of(const News& news) {
  if (!news.author) return Trust::stranger;
  const bool own = options_.own_key == news.author;
  if ((own || trusted_.contains(*news.author)) && !authors_.distrusted(*news.author, now_.steady)) {
    return Trust::trusted;
  }
  return Trust::stranger;
}

// A stranger has one of its own beside that of all strangers, a push server one of its own; the
// application may ask as often as it likes.
bool Engine::within_budget(const News& news) {
  if (news.author) return authors_.spend(*news.author, now_.steady);
  if (news.source.kind == SourceKind::app) return true;
  const Allowance fresh(options_.server_burst, options_.server_rate);
  return servers_.try_emplace(news.source, fresh).first->second.take(now_.steady);
}

// An older one is ours, from before the table of sent events begins.
bool Engine::later_than_sent(const News& news) const {
  if (!news.address) return false;
  const auto until = sent_until_.find(*news.address);
  return until == sent_until_.end() || news.created_at > until->second;
}

void Engine::take(News& in) {
  Tracked* name = tracked(in.name);
  if (name == nullptr || !name->active()) return;
  if (in.event_id && sent_.contains(*in.event_id)) {
    ++counts_[Row::own_echo];
    return;
  }
  const bool own_device = in.author && in.author == options_.own_key && !device_id_.empty() &&
                          in.device_id == device_id_ && later_than_sent(in);
  if (own_device && !new_device_id_asked_) {
    new_device_id_asked_ = true;
    emit(action::NewDeviceId{});
    emit(action::Alarm{in.name, "another device runs on a copy of this state directory"});
  }
  if (in.at_fault && in.author) authors_.mark(*in.author, now_.steady);

  const Trust trust = trust_of(in);
  Deduplicator::Sighting sighting{in.sequence, value_of(in.cid.as_v1()),
                                  trust == Trust::trusted ? Strength::trusted : Strength::stranger,
                                  Eol{}};
  if (in.record)
    sighting = {in.record->sequence, in.record->value, Strength::record, in.record->eol};
  if (!deduplicator_.admit(in.name, sighting, in.source.kind)) {
    ++counts_[Row::duplicate];
    return;
  }
  if (in.record) {
    if (in.author && disagrees(claim_of(in, trust), *in.record, true))
      authors_.mark(*in.author, now_.steady);
    consider(*name, *in.record, in.source, in.author, true);
    // While the others are asked at the first contact.
    const bool waits = !name->row.record && name->resolving_in_foreground();
    const auto root = waits && trust == Trust::trusted ? root_of(in.record->value) : std::nullopt;
    if (root) start_prefetch(*name, *root);
  } else if (!name->pending || outweighs(in, trust == Trust::trusted, name->pending->news,
                                         trust_of(name->pending->news) == Trust::trusted)) {
    name->pending = Tracked::Waiting{std::move(in), now_};
  }
  advance(*name);
}

// Work that arrived during a sync, or within the debounce time, runs right after it (S0-23, R14).
void Engine::follow_pending(Tracked& name) {
  if (!name.pending || name.next_claim > now_.steady || name.resolving_in_foreground()) return;
  Tracked::Waiting waiting = std::move(*name.pending);
  name.pending.reset();
  follow_up(name, std::move(waiting.news), waiting.arrived);
}

void Engine::follow_up(Tracked& name, News news, Now arrived) {
  Trust trust = trust_of(news);
  auto decision = decide(known(name), claim_of(news, trust), options_.confirm);
  if (decision.resolve && trust == Trust::stranger && !within_budget(news)) {
    decision = decide(known(name), claim_of(news, Trust::stranger_over_budget), options_.confirm);
  }
  ++counts_[decision.row];
  if (!decision.resolve) return;
  name.next_claim = now_.steady + options_.debounce;
  const bool trusted = trust == Trust::trusted;
  // A stranger's word does not push aside what a trusted author said.
  if (trusted || !name.following || !name.following->trusted) {
    if (decision.fetch) start_prefetch(name, news.cid);
    name.following =
        Tracked::Following{std::move(news), arrived, trusted, decision.provisional, false};
    name.chases = 0;
    name.chase_at.reset();
    offer_provisional(name);
  }
  start_resolve(name, decision.floor);
}

void Engine::start_resolve(Tracked& name, std::optional<Sequence> floor) {
  if (name.resolve) {
    if (name.lingering) emit(action::Cancel{name.lingering->job});
    name.lingering = std::move(name.resolve);
  }
  auto& job = name.resolve.emplace();
  job.job = next_job();
  job.deadline = now_.steady + options_.slow_listen;
  emit(action::Resolve{name.row.name, job.job, floor, !name.row.record,
                       now_.steady + options_.answer_by, job.deadline});
}

void Engine::take(input::ResolveUpdate& in) {
  Tracked* name = tracked(in.name);
  if (name == nullptr || !name->active()) return;
  const bool current = name->resolve && name->resolve->job == in.job;
  if (current) name->resolve->answered = std::max(name->resolve->answered, in.sources_answered);
  // A late answer counts whatever it answers (S0-17).
  const bool late_first = current && name->resolve->settled && !name->row.record;
  const bool unconfirmed = late_first && name->resolve->answered < 2;
  if (in.record) consider(*name, *in.record, in.source, std::nullopt, unconfirmed);
  if (in.record || in.finished) {
    silence_.asked(in.record || !in.nobody, now_.steady);
    listen();
    ask_soon(*name);
  }
  if (current && (in.settled || in.finished)) settle_resolve(*name);
  if (current && in.finished) finish_resolve(*name);
  if (in.finished && !in.nobody) note_missing(*name);
  if (name->lingering && name->lingering->job == in.job && in.finished) name->lingering.reset();
  advance(*name);
}

void Engine::settle_resolve(Tracked& name) {
  if (name.resolve->settled) return;
  name.resolve->settled = true;
  if (name.resolve->best) consider_best(name);
  if (name.following) return;
  // What was not the best.
  if (name.prefetch) emit(action::Cancel{name.prefetch->job});
  name.prefetch.reset();
  name.prefetched.reset();
}

void Engine::consider_best(Tracked& name) {
  const auto best = std::move(*name.resolve->best);
  name.resolve->best.reset();
  const size_t sources = name.resolve->answered + (name.resolve->hinted ? 1 : 0);
  const auto source = name.resolve->best_source;
  const auto author = name.resolve->best_author;
  consider(name, best, source, author, sources < 2);
}

// The resolution is over. A claim that it did not reach is chased a few times; then it is dropped,
// so that the same hint may try again later.
void Engine::finish_resolve(Tracked& name) {
  settle_resolve(name);
  name.resolve.reset();
  if (!name.following) return;
  if (name.following->trusted && name.chases < options_.max_chases) {
    ++name.chases;
    name.chase_at = now_.steady + retry_after(name.chases);
    return;
  }
  deduplicator_.failed(name.row.name);
  drop_claim(name);
}

void Engine::drop_claim(Tracked& name) {
  name.following.reset();
  name.chases = 0;
  name.chase_at.reset();
  if (name.prefetch) emit(action::Cancel{name.prefetch->job});
  name.prefetch.reset();
  name.prefetched.reset();
}

bool Engine::reached(const Tracked& name, const News& news) const {
  if (!name.row.record) return false;
  if (news.sequence) return name.row.record->sequence >= *news.sequence;
  return root_of(name.row.record->value) == news.cid.as_v1();
}

void Engine::take(input::PollDone& in) {
  Tracked* name = tracked(in.name);
  if (name == nullptr || !name->active()) return;
  const bool current = name->poll && name->poll->job == in.job;
  if (current) {
    name->poll.reset();
    plan_poll(*name);
  }
  silence_.asked(!in.failed, now_.steady);
  listen();
  // What others say, who are asked next, decides how soon to ask again.
  if (!in.failed) ask_soon(*name);
  if (in.record) consider(*name, *in.record, in.source, std::nullopt);
  if (!in.failed) note_missing(*name);
  // The others are asked when the one in rotation did not answer.
  if (current && in.failed && !name->resolving_in_foreground()) start_resolve(*name, std::nullopt);
  advance(*name);
}

}  // namespace ipnscast::sync
