// What waits at one relay for NIP-42, and goes on after it.
#include <algorithm>

#include "ipnscast/nostr/relay/relay.h"

namespace ipnscast::nostr {

// False when none of these keys can help any more: each was proved, or refused.
bool Relay::want_auth(const std::vector<PublicKey>& keys, Now now, Actions& out) {
  bool open = false;
  for (const PublicKey& key : keys) {
    if (auth_.over(key)) continue;
    open = true;
    if (auto sign = auth_.want(key, now.steady))
      out.push_back(SignAuth{sign->key, std::move(sign->challenge)});
  }
  return open;
}

// What follows from "auth-required:" as the answer to what was written when `proofs` proofs had
// been taken, and `tried` without the OK of the last AUTH. Proofs only ever grow in number, and a
// signer is asked with pauses, so nothing here goes round in a circle with the relay.
Relay::AuthStep Relay::auth_required(const std::vector<PublicKey>& keys, uint32_t proofs,
                                     bool tried, Now now, Actions& out) {
  if (!can_authenticate_) return AuthStep::refused;
  const bool proved =
      std::any_of(keys.begin(), keys.end(), [&](const auto& key) { return auth_.was_proved(key); });
  if (proved && proofs < auth_.proofs()) return AuthStep::ask_again;
  for (const PublicKey& key : keys) auth_.lapsed(key);
  // Tried without the OK of an AUTH, after all the time that this has: there will be none.
  if (now.steady - auth_sent_at_ >= options_.ok_timeout) {
    for (const PublicKey& key : keys) {
      if (tried) auth_.no_answer(key);
    }
  }
  if (want_auth(keys, now, out)) return AuthStep::wait;
  return proved ? AuthStep::restricted : AuthStep::refused;
}

std::string Relay::restricted(const std::string& reason) {
  return "restricted: the relay took our AUTH and still refuses (" + reason + ")";
}

void Relay::auth_pauses_over(Now now, Actions& out) {
  for (auto& sign : auth_.due(now.steady))
    out.push_back(SignAuth{sign.key, std::move(sign.challenge)});
}

// Some relays take an AUTH and say nothing of it: what waits for it is tried once in the middle.
Milliseconds Relay::patience_with(const std::vector<PublicKey>& keys, bool tried) const {
  const bool sent = std::any_of(keys.begin(), keys.end(), [&](const PublicKey& key) {
    return auth_.state(key) == RelayAuth::State::sent;
  });
  return sent && !tried ? std::min(options_.auth_patience, options_.ok_timeout)
                        : options_.ok_timeout;
}

void Relay::await_auth(const SubscriptionId& id, const Subscription& subscription, Now now) {
  const auto patience = patience_with(keys_for(subscription), subscription.tried_without_ok);
  due_subscriptions_.set(id, now.steady + patience);
}

void Relay::await_auth(Publishing& publishing, Now now) {
  publishing.answer_by =
      now.steady + patience_with({key_for(publishing)}, publishing.tried_without_ok);
  schedule(publishing);
}

// From when the relay has what it waits for: as often as a signer signs, not as often as the relay
// says something.
void Relay::await_all_auth(Now now) {
  for (auto& [id, subscription] : subscriptions_) {
    if (subscription.status.state != SubscriptionState::needs_auth) continue;
    subscription.tried_without_ok = false;
    await_auth(id, subscription, now);
  }
  for (auto& [id, publishing] : publishing_) {
    if (!publishing.needs_auth) continue;
    publishing.tried_without_ok = false;
    await_auth(publishing, now);
  }
}

bool Relay::is_signing(const PublicKey& key) const {
  const RelayAuth::State state = auth_.state(key);
  return state == RelayAuth::State::signing || state == RelayAuth::State::paused;
}

// No challenge or no OK in time: the request itself tells whether the relay serves us now.
void Relay::auth_due(const SubscriptionId& id, Subscription& subscription, Now now, Actions& out) {
  const auto keys = keys_for(subscription);
  const bool signing =
      std::any_of(keys.begin(), keys.end(), [&](const auto& key) { return is_signing(key); });
  if (signing) return await_auth(id, subscription, now);
  if (patience_with(keys, subscription.tried_without_ok) == options_.ok_timeout) {
    for (const PublicKey& key : keys) auth_.no_answer(key);
  }
  subscription.tried_without_ok = true;
  request(id, subscription, now, out);
}

// The same for an event, which then waits no second time.
void Relay::auth_due(Publishing& publishing, Now now, Actions& out) {
  const PublicKey key = key_for(publishing);
  if (is_signing(key)) return await_auth(publishing, now);
  if (patience_with({key}, publishing.tried_without_ok) == options_.ok_timeout) {
    auth_.no_answer(key);
    publishing.waited_for_auth = true;
  }
  const bool early = !std::exchange(publishing.tried_without_ok, true);
  publishing.needs_auth = false;
  const EventId id = publishing.event.id;
  write(publishing, now, out);
  // The relay may look at it after the AUTH, for which it has all its time.
  const auto found = publishing_.find(id);
  if (!early || found == publishing_.end() || !found->second.answer_by) return;
  *found->second.answer_by += options_.ok_timeout;
  schedule(found->second);
}

bool Relay::auth_unanswered(const Subscription& subscription) const {
  const auto keys = keys_for(subscription);
  return std::any_of(keys.begin(), keys.end(), [&](const auto& key) {
    return auth_.state(key) == RelayAuth::State::unanswered;
  });
}

void Relay::on(const AuthChallenge& message, Now now, Actions& out) {
  for (auto& sign : auth_.challenged(message.challenge, now.steady)) {
    out.push_back(SignAuth{sign.key, std::move(sign.challenge)});
  }
  // No use in being refused first.
  if (limits_.information().auth_required && auth_.proofs() == 0)
    want_auth(auth_.useful_for({}), now, out);
}

void Relay::auth_signed(const PublicKey& key, Result<Event> event, Now now, Actions& out) {
  if (!connected()) return;
  const std::string error = event ? "" : "auth-required: cannot sign: " + event.error().message;
  auto next = auth_.signed_by(key, std::move(event), now.steady);
  if (next.send) {
    out.push_back(Send{to_frame(ClientMessage(AuthRequest{std::move(*next.send)}))});
    auth_sent_at_ = now.steady;
    await_all_auth(now);
  }
  if (next.again) out.push_back(SignAuth{next.again->key, std::move(next.again->challenge)});
  if (next.over) auth_over(*next.over, error, now, out);
}

void Relay::auth_over(const RelayAuth::Answer& answer, const std::string& reason, Now now,
                      Actions& out) {
  for (auto& [id, subscription] : subscriptions_) {
    if (subscription.status.state != SubscriptionState::needs_auth) continue;
    const auto keys = keys_for(subscription);
    if (!std::all_of(keys.begin(), keys.end(), [&](const auto& key) { return auth_.over(key); }))
      continue;
    const bool proved = std::any_of(keys.begin(), keys.end(), [&](const auto& key) {
      return auth_.state(key) == RelayAuth::State::proved;
    });
    if (proved) {
      request(id, subscription, now, out);
    } else {
      subscription.status = {SubscriptionState::refused, reason};
      due_subscriptions_.set(id, now.steady + options_.refused_retry);
    }
  }
  for (auto it = publishing_.begin(); it != publishing_.end();) {
    const auto current = it++;
    Publishing& publishing = current->second;
    if (!publishing.needs_auth || key_for(publishing) != answer.key) continue;
    publishing.needs_auth = false;
    if (answer.accepted) {
      write(publishing, now, out);
    } else {
      settle(current, {PublishState::refused, reason, false, {}}, now, out);
    }
  }
}

}  // namespace ipnscast::nostr
