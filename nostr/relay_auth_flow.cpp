// What waits at one relay for NIP-42, and goes on after it.
#include <algorithm>

#include "nostr/relay.h"

namespace ipnscast::nostr {

// False when none of these keys can help any more: each was proved, or refused.
bool Relay::want_auth(const std::vector<PublicKey>& keys, Actions& out) {
  bool open = false;
  for (const PublicKey& key : keys) {
    if (auth_.over(key)) continue;
    open = true;
    if (auto sign = auth_.want(key)) out.push_back(SignAuth{sign->key, std::move(sign->challenge)});
  }
  return open;
}

void Relay::await_auth(const SubscriptionId& id, Now now) {
  due_subscriptions_.set(id, now.steady + options_.ok_timeout);
}

// From when the relay has what it waits for.
void Relay::await_all_auth(Now now) {
  for (const auto& [id, subscription] : subscriptions_) {
    if (subscription.status.state == SubscriptionState::needs_auth) await_auth(id, now);
  }
}

// No challenge or no OK in time: the request itself tells whether the relay serves us now.
void Relay::auth_due(const SubscriptionId& id, Subscription& subscription, Now now, Actions& out) {
  const auto keys = keys_for(subscription);
  const bool signing = std::any_of(keys.begin(), keys.end(), [&](const auto& key) {
    return auth_.state(key) == RelayAuth::State::signing;
  });
  if (signing) return await_auth(id, now);
  for (const PublicKey& key : keys) auth_.no_answer(key);
  request(id, subscription, now, out);
}

bool Relay::auth_unanswered(const Subscription& subscription) const {
  const auto keys = keys_for(subscription);
  return std::any_of(keys.begin(), keys.end(), [&](const auto& key) {
    return auth_.state(key) == RelayAuth::State::unanswered;
  });
}

void Relay::on(const AuthChallenge& message, Now now, Actions& out) {
  for (auto& sign : auth_.challenged(message.challenge)) {
    out.push_back(SignAuth{sign.key, std::move(sign.challenge)});
  }
  // No use in being refused first.
  if (limits_.information().auth_required) want_auth(auth_.useful_for({}), out);
  // What was sent for the challenge before this one gets no answer that counts.
  for (const auto& [id, subscription] : subscriptions_) {
    if (subscription.status.state == SubscriptionState::needs_auth)
      want_auth(keys_for(subscription), out);
  }
  for (const auto& [id, publishing] : publishing_) {
    if (publishing.needs_auth) want_auth({key_for(publishing)}, out);
  }
  await_all_auth(now);
}

void Relay::auth_signed(const PublicKey& key, Result<Event> event, Now now, Actions& out) {
  if (!connected()) return;
  const std::string error = event ? "" : "auth-required: cannot sign: " + event.error().message;
  auto next = auth_.signed_by(key, std::move(event));
  if (next.send) {
    out.push_back(Send{to_frame(ClientMessage(AuthRequest{std::move(*next.send)}))});
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
