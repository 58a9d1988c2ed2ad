// How many subscriptions a relay takes at a time, and who waits for that; and the pace at which
// those are asked again that it refused for now.
#include "ipnscast/nostr/relay/relay.h"

namespace ipnscast::nostr {

size_t Relay::open_subscriptions() const {
  size_t out = 0;
  for (const auto& [id, subscription] : subscriptions_) {
    out += subscription.standing;
    out += subscription.page == Page::open;
  }
  return out;
}

// For a REQ. One place is kept for pages, as without them stored events would not come at all.
bool Relay::has_room() const {
  const auto most = limits_.max_subscriptions();
  if (!most) return true;
  size_t standing = 0;
  for (const auto& [id, subscription] : subscriptions_) standing += subscription.standing;
  const size_t kept = *most > 1 ? 1 : 0;
  return standing + kept < *most && open_subscriptions() < *most;
}

bool Relay::has_room_for_page() const {
  const auto most = limits_.max_subscriptions();
  return !most || open_subscriptions() < *most;
}

// Room comes when another subscription ends. A limit that was only learned is tried out again at
// times, as it may have been meant for something else that stood then.
void Relay::wait_for_room(const SubscriptionId& id, Now now) {
  if (limits_.max_subscriptions_is_learned())
    due_subscriptions_.set(id, now.steady + options_.refused_retry);
}

void Relay::try_for_room(Now now) {
  if (tried_for_room_ && now.steady - *tried_for_room_ < options_.refused_retry) return;
  tried_for_room_ = now.steady;
  limits_.allow_one_more_subscription();
}

void Relay::room_came(Now now, Actions& out) {
  if (!limits_.max_subscriptions() || !has_room_for_page()) return;
  for (auto& [id, subscription] : subscriptions_) {
    if (subscription.page == Page::needs_room && has_room_for_page()) {
      ask_page(id, subscription, subscription.catch_up.same_page(), now, out);
    } else if (subscription.status.state == SubscriptionState::waiting && has_room() &&
               requested_ < options_.max_requested) {
      request(id, subscription, now, out);
    }
  }
}

void Relay::refused_for_now(const SubscriptionId& id, Subscription& subscription, Now now) {
  refused_now_.insert(id);
  retry_pace_.refused(now.steady, rng_);
  due_subscriptions_.set(id, now.steady + subscription.backoff.failed(now.steady, rng_));
}

// For one that is due. Else it is asked when its turn comes.
bool Relay::may_ask_again(const SubscriptionId& id, Now now) {
  if (refused_now_.size() > options_.max_own_retries && refused_now_.contains(id) &&
      !retry_pace_.take(now.steady)) {
    again_.push_back(id);
    return false;
  }
  refused_now_.erase(id);
  return true;
}

void Relay::ask_refused(Now now, Actions& out) {
  while (!again_.empty()) {
    const auto found = subscriptions_.find(again_.front());
    const bool waits = found != subscriptions_.end() && refused_now_.contains(again_.front());
    if (waits && refused_now_.size() > options_.max_own_retries && !retry_pace_.take(now.steady))
      return;
    const SubscriptionId id = std::move(again_.front());
    again_.pop_front();
    if (!waits) continue;
    refused_now_.erase(id);
    ask_due(id, found->second, now, out);
  }
}

}  // namespace ipnscast::nostr
