// The publishing and authenticating half of a relay.
#include <algorithm>

#include "nostr/relay.h"

namespace ipnscast::nostr {

void Relay::publish(const Event& event, Instant deadline, Now now, Actions& out) {
  if (const auto found = publishing_.find(event.id); found != publishing_.end()) {
    found->second.deadline =
        std::max(found->second.deadline, deadline);  // one Published serves both
    return;
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
  if (connected()) write(publishing, now, out);
}

void Relay::write(Publishing& publishing, Now now, Actions& out) {
  publishing.was_written = true;
  publishing.answer_by = now.steady + options_.ok_timeout;
  out.push_back(Send{to_frame(ClientMessage(PublishRequest{publishing.event}))});
}

void Relay::settle(std::map<EventId, Publishing>::iterator it, RelayOutcome outcome, Now now,
                   Actions& out) {
  outcome.took = std::chrono::duration_cast<Milliseconds>(now.steady - it->second.accepted_at);
  out.push_back(Published{it->first, std::move(outcome)});
  publishing_.erase(it);
}

void Relay::on(const OkMessage& message, Now now, Actions& out) {
  if (auth_ == Auth::sent && message.id == auth_event_) {
    return auth_over(message.accepted, message.reason, now, out);
  }
  const auto found = publishing_.find(message.id);
  if (found == publishing_.end()) return;
  Publishing& publishing = found->second;
  const RelayOutcome outcome = outcome_of_ok(message.accepted, message.reason);
  const std::string_view prefix = reason_prefix(message.reason);
  if (outcome.state == PublishState::refused && prefix == "auth-required" && can_authenticate_ &&
      !publishing.authenticated_retry && auth_ != Auth::refused) {
    publishing.answer_by.reset();
    publishing.needs_auth = true;
    return want_auth(out);
  }
  if (outcome.state == PublishState::refused && prefix == "rate-limited") {
    const Instant again = now.steady + publishing.backoff.failed(now.steady, rng_);
    if (again < publishing.deadline) {
      publishing.answer_by.reset();
      publishing.retry_at = again;
      return;
    }
  }
  settle(found, outcome, now, out);
}

void Relay::on(const AuthChallenge& message, Now /*now*/, Actions& out) {
  challenge_ = message.challenge;
  if (auth_ == Auth::sent || auth_ == Auth::done || auth_ == Auth::refused) auth_ = Auth::none;
  bool wanted = auth_ == Auth::challenged;
  for (const auto& [id, subscription] : subscriptions_) {
    wanted = wanted || subscription.status.state == SubscriptionState::needs_auth;
  }
  for (const auto& [id, publishing] : publishing_) wanted = wanted || publishing.needs_auth;
  if (wanted) want_auth(out);
}

void Relay::want_auth(Actions& out) {
  if (!can_authenticate_ || auth_ == Auth::signing || auth_ == Auth::sent) return;
  if (challenge_.empty()) {
    auth_ = Auth::challenged;  // refused before the challenge: it will come
    return;
  }
  auth_ = Auth::signing;
  out.push_back(SignAuth{challenge_});
}

void Relay::auth_signed(Result<Event> event, Now now, Actions& out) {
  if (auth_ != Auth::signing || !connected()) return;
  if (!event) return auth_over(false, "error: cannot sign: " + event.error().message, now, out);
  if (event->tag("challenge") != challenge_) {  // replaced meanwhile
    auth_ = Auth::none;
    return want_auth(out);
  }
  auth_ = Auth::sent;
  auth_event_ = event->id;
  out.push_back(Send{to_frame(ClientMessage(AuthRequest{std::move(*event)}))});
}

void Relay::auth_over(bool accepted, const std::string& reason, Now now, Actions& out) {
  auth_ = accepted ? Auth::done : Auth::refused;
  for (auto& [id, subscription] : subscriptions_) {
    if (subscription.status.state != SubscriptionState::needs_auth) continue;
    if (accepted) {
      request(id, subscription, out);
    } else {
      subscription.status = {SubscriptionState::refused, reason};
      subscription.retry_at = now.steady + options_.refused_retry;
    }
  }
  for (auto it = publishing_.begin(); it != publishing_.end();) {
    const auto current = it++;
    if (!current->second.needs_auth) continue;
    current->second.needs_auth = false;
    current->second.authenticated_retry = true;
    if (accepted) {
      write(current->second, now, out);
    } else {
      settle(current, {PublishState::refused, reason, false, {}}, now, out);
    }
  }
}

}  // namespace ipnscast::nostr
