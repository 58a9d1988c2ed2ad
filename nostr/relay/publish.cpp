// The events on their way to one relay.
#include <algorithm>

#include "ipnscast/nostr/relay/relay.h"

namespace ipnscast::nostr {

void Relay::publish(const Event& event, Instant deadline, Now now, Actions& out) {
  if (const auto found = publishing_.find(event.id); found != publishing_.end()) {
    Publishing& same = found->second;  // one Published serves both
    same.deadline = std::max(same.deadline, deadline);
    return schedule(same);
  }
  if (publishing_.size() >= options_.max_publishing) {
    out.push_back(
        Published{event.id, {PublishState::unreachable, "too many events are waiting", false, {}}});
    return;
  }
  Publishing& publishing = publishing_[event.id];
  publishing.event = event;
  publishing.accepted_at = now.steady;
  publishing.deadline = deadline;
  publishing.cuts = cuts_of(event.id);
  schedule(publishing);
  if (!connected()) return;
  if (publishing.cuts > 0) return write_suspects(now, out);
  write(publishing, now, out);
}

std::optional<RelayOutcome> Relay::outcome(const EventId& id) const {
  const auto found = publishing_.find(id);
  if (found == publishing_.end()) return std::nullopt;
  const Publishing& publishing = found->second;
  RelayOutcome out;
  out.reason = publishing.last_reason;
  out.state = publishing.needs_auth  ? PublishState::auth_pending
              : publishing.answer_by ? PublishState::written
                                     : PublishState::queued;
  return out;
}

void Relay::schedule(const Publishing& publishing) {
  Instant due = publishing.deadline;
  if (publishing.answer_by) due = std::min(due, *publishing.answer_by);
  if (publishing.retry_at && connected()) due = std::min(due, *publishing.retry_at);
  due_publishing_.set(publishing.event.id, due);
}

void Relay::write(Publishing& publishing, Now now, Actions& out) {
  std::string frame = to_frame(ClientMessage(PublishRequest{publishing.event}));
  publishing.retry_at.reset();
  if (const auto why = limits_.objection(publishing.event, frame.size(), now.seconds())) {
    // Never for good: the relay itself was not asked, and its document may change or be wrong.
    RelayOutcome outcome{PublishState::refused, *why, false, {}};
    return settle(publishing_.find(publishing.event.id), std::move(outcome), now, out);
  }
  publishing.was_written = true;
  publishing.frame_bytes = frame.size();
  publishing.proofs = auth_.proofs();
  publishing.answer_by = now.steady + options_.ok_timeout;
  schedule(publishing);
  out.push_back(Send{std::move(frame)});
}

void Relay::settle(std::map<EventId, Publishing>::iterator it, RelayOutcome outcome, Now now,
                   Actions& out) {
  outcome.took = std::chrono::duration_cast<Milliseconds>(now.steady - it->second.accepted_at);
  due_publishing_.set(it->first, std::nullopt);
  out.push_back(Published{it->first, std::move(outcome)});
  publishing_.erase(it);
}

void Relay::publishing_due(const EventId& id, Now now, Actions& out) {
  const auto found = publishing_.find(id);
  if (found == publishing_.end()) return;
  Publishing& publishing = found->second;
  const bool late = publishing.answer_by && *publishing.answer_by <= now.steady;
  if (late && publishing.needs_auth && now.steady < publishing.deadline)
    return auth_due(publishing, now, out);
  if (late && !publishing.needs_auth) {
    return settle(found, {PublishState::no_answer, "no OK in time", false, {}}, now, out);
  }
  if (publishing.deadline <= now.steady) {
    return settle(found, outcome_at_deadline(*outcome(id), publishing.was_written), now, out);
  }
  if (publishing.retry_at && *publishing.retry_at <= now.steady && connected()) {
    return write(publishing, now, out);
  }
  schedule(publishing);
}

PublicKey Relay::key_for(const Publishing& publishing) const {
  return auth_.useful_for({publishing.event.pubkey}).front();
}

void Relay::on(const OkMessage& message, Now now, Actions& out) {
  if (const auto answer = auth_.ok(message.id, message.accepted)) {
    return auth_over(*answer, message.reason, now, out);
  }
  const auto found = publishing_.find(message.id);
  if (found == publishing_.end()) return;
  Publishing& publishing = found->second;
  cut_by_.erase(message.id);
  publishing.cuts = 0;
  RelayOutcome verdict =
      outcome_of_ok(publishing.event, message.accepted, message.reason, now.seconds());
  const std::string_view prefix = reason_prefix(message.reason);
  if (verdict.state == PublishState::refused && prefix == "auth-required" && can_authenticate_) {
    const PublicKey key = key_for(publishing);
    publishing.last_reason = message.reason;
    if (!publishing.waited_for_auth) auth_.once_more(key, now.steady);
    switch (auth_required({key}, publishing.proofs, publishing.tried_without_ok, now, out)) {
      case AuthStep::ask_again:
        return write(publishing, now, out);
      case AuthStep::wait:
        if (publishing.waited_for_auth) break;
        publishing.needs_auth = true;
        return await_auth(publishing, now);
      case AuthStep::restricted:
        verdict.reason = restricted(message.reason);
        verdict.permanent = !publishing.waited_for_auth && !auth_.ever_helped(key);
        break;
      case AuthStep::refused:
        break;
    }
  }
  if (verdict.state != PublishState::refused && publishing.proofs > 0) auth_.served();
  if (verdict.state == PublishState::refused && prefix == "rate-limited") {
    const Instant again = now.steady + publishing.backoff.failed(now.steady, rng_);
    if (again < publishing.deadline) {
      publishing.last_reason = message.reason;
      publishing.answer_by.reset();
      publishing.retry_at = again;
      return schedule(publishing);
    }
  }
  settle(found, std::move(verdict), now, out);
}

}  // namespace ipnscast::nostr
