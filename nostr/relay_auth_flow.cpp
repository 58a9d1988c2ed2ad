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

void Relay::on(const AuthChallenge& message, Now /*now*/, Actions& out) {
  for (auto& sign : auth_.challenged(message.challenge)) {
    out.push_back(SignAuth{sign.key, std::move(sign.challenge)});
  }
  // What was sent for the challenge before this one gets no answer that counts.
  for (const auto& [id, subscription] : subscriptions_) {
    if (subscription.status.state == SubscriptionState::needs_auth)
      want_auth(keys_for(subscription), out);
  }
  for (const auto& [id, publishing] : publishing_) {
    if (publishing.needs_auth) want_auth({key_for(publishing)}, out);
  }
}

void Relay::auth_signed(const PublicKey& key, Result<Event> event, Now now, Actions& out) {
  if (!connected()) return;
  const std::string error = event ? "" : "auth-required: cannot sign: " + event.error().message;
  auto next = auth_.signed_by(key, std::move(event));
  if (next.send) out.push_back(Send{to_frame(ClientMessage(AuthRequest{std::move(*next.send)}))});
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
