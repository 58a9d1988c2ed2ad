// The pages of stored events that follow an answer which a relay has cut short. The subscription
// itself goes on live beside its pages.
#include "ipnscast/nostr/relay/relay.h"

namespace ipnscast::nostr {

std::optional<StoredEnd> Relay::end(const SubscriptionId& id) const {
  const auto found = subscriptions_.find(id);
  if (found == subscriptions_.end() || !found->second.end) return std::nullopt;
  return *found->second.end;
}

// Told once, and again when it changes.
void Relay::reached_end(const SubscriptionId& id, Subscription& subscription, StoredEnd end,
                        Actions& out) {
  static const auto complete = std::make_shared<const StoredEnd>();
  const bool changed = !subscription.end || subscription.end->kind != end.kind;
  subscription.end =
      end == StoredEnd{} ? complete : std::make_shared<const StoredEnd>(std::move(end));
  if (changed) out.push_back(ReachedEnd{id});
}

void Relay::ask_page(const SubscriptionId& id, Subscription& subscription,
                     std::optional<Filter> page, Now now, Actions& out) {
  if (!page) {
    end_page(id, subscription, out);
    if (subscription.catch_up.crowded() != nullptr) return settle(id, subscription, now, out);
    if (subscription.catch_up.complete()) {
      comparison_over(subscription);
      reached_end(id, subscription, {}, out);
    } else {
      reached_end(id, subscription,
                  {StoredEnd::Kind::incomplete, subscription.catch_up.given_up_for()}, out);
    }
    return room_came(now, out);
  }
  if (subscription.page != Page::open && !has_room_for_page()) {
    const std::string why = "the relay takes " + std::to_string(*limits_.max_subscriptions()) +
                            " subscriptions at a time";
    delay_page(id, subscription, Page::needs_room, {StoredEnd::Kind::delayed, why}, out);
    return wait_for_room(id, now);
  }
  subscription.page = Page::open;
  subscription.asked_at = now.steady;
  ++counters_.pages;
  due_subscriptions_.set(id, now.steady + options_.page_timeout);
  const ReqRequest request{page_id(id, subscription), {std::move(*page)}};
  out.push_back(Send{to_frame(ClientMessage(request))});
}

void Relay::end_page(const SubscriptionId& id, Subscription& subscription, Actions& out) {
  const Page was = std::exchange(subscription.page, Page::none);
  if (was == Page::none) return;
  due_subscriptions_.set(id, std::nullopt);
  if (was == Page::open && connected())
    out.push_back(Send{to_frame(ClientMessage(CloseRequest{page_id(id, subscription)}))});
}

// No end of the page in time, or it is to be asked for once more.
void Relay::page_due(const SubscriptionId& id, Subscription& subscription, Now now, Actions& out) {
  if (subscription.page == Page::none) return;
  if (subscription.page == Page::open) {
    if (still_patient(id, subscription, now)) return;
    ++counters_.timeouts;
    end_page(id, subscription, out);
    ++subscription.pages_given_up;
    delay_page(id, subscription, Page::backing_off,
               {StoredEnd::Kind::delayed, "no end of the stored events in time"}, out);
    due_subscriptions_.set(id, now.steady + subscription.backoff.failed(now.steady, rng_));
    return room_came(now, out);
  }
  if (subscription.page == Page::needs_information) {
    informed_ = true;
    subscription.page = Page::none;
    return settle(id, subscription, now, out);
  }
  if (subscription.page == Page::needs_room) try_for_room(now);
  ask_page(id, subscription, subscription.catch_up.same_page(), now, out);
}

void Relay::page_refused(const SubscriptionId& id, Subscription& subscription,
                         const std::string& reason, Now now, Actions& out) {
  subscription.page = Page::none;  // closed by the relay: no CLOSE
  due_subscriptions_.set(id, std::nullopt);
  if (subscription.catch_up.reconciling()) return reconciliation_failed(id, subscription, now, out);
  if (limits_.learn(reason, [this] { return open_subscriptions(); })) {
    delay_page(id, subscription, Page::needs_room, {StoredEnd::Kind::delayed, reason}, out);
    return wait_for_room(id, now);
  }
  const bool for_good = is_for_good(reason_prefix(reason));
  const auto kind = for_good ? StoredEnd::Kind::incomplete : StoredEnd::Kind::delayed;
  delay_page(id, subscription, Page::backing_off, {kind, reason}, out);
  if (for_good) {
    due_subscriptions_.set(id, now.steady + options_.refused_retry);
  } else {
    refused_for_now(id, subscription, now);
  }
  room_came(now, out);
}

void Relay::delay_page(const SubscriptionId& id, Subscription& subscription, Page state,
                       StoredEnd end, Actions& out) {
  subscription.page = state;
  subscription.status.reason = "stored events: " + end.reason;
  reached_end(id, subscription, std::move(end), out);
}

}  // namespace ipnscast::nostr
