// Catching up with one relay by NIP-77, where it was proved to work there.
#include <algorithm>

#include "ipnscast/nostr/relay/relay.h"

namespace ipnscast::nostr {
namespace {

constexpr int kNegentropyNip = 77;

}  // namespace

bool Relay::speaks_negentropy() const {
  const auto& nips = limits_.information().supported_nips;
  return negentropy_ != Negentropy::refused &&
         std::find(nips.begin(), nips.end(), kNegentropyNip) != nips.end();
}

bool Relay::may_reconcile(const Subscription& subscription, Now now) const {
  if (!subscription.has_known || !speaks_negentropy()) return false;
  return !subscription.lost_at || now.steady - *subscription.lost_at >= options_.reconcile_after;
}

void Relay::known(const SubscriptionId& id, std::vector<NegentropySet> known, Now now,
                  Actions& out) {
  const auto found = subscriptions_.find(id);
  if (found == subscriptions_.end() || !connected()) return;
  Subscription& subscription = found->second;
  if (!subscription.catch_up.reconciling() || subscription.reconciliation) return;
  subscription.reconcile_started = now.seconds();
  subscription.reconciliation =
      std::make_unique<Reconciliation>(subscription.catch_up.filters(), std::move(known));
  take_step(id, subscription, subscription.reconciliation->start(), now, out);
}

void Relay::take_step(const SubscriptionId& id, Subscription& subscription,
                      Reconciliation::Step step, Now now, Actions& out) {
  subscription.asked_at = now.steady;
  due_subscriptions_.set(id, now.steady + options_.page_timeout);
  const auto send = [&](const ClientMessage& message) { out.push_back(Send{to_frame(message)}); };
  if (auto* open = std::get_if<Reconciliation::Open>(&step)) {
    subscription.negotiating = true;
    send(NegOpenRequest{id, std::move(open->filter), std::move(open->message)});
    return;
  }
  if (auto* reply = std::get_if<Reconciliation::Reply>(&step)) {
    return send(NegMessage{id, std::move(reply->message)});
  }
  if (std::exchange(subscription.negotiating, false)) send(NegCloseRequest{id});
  if (auto* fetch = std::get_if<Reconciliation::Fetch>(&step)) {
    ++counters_.pages;
    subscription.page = Page::open;
    return send(ReqRequest{page_id(id, subscription), {std::move(fetch->ids)}});
  }
  if (subscription.catch_up.naming()) return second_named(id, subscription, false, now, out);
  end_page(id, subscription, out);
  due_subscriptions_.set(id, std::nullopt);
  // What the relay named and did not give is missing: the plain way shows whether it has that.
  if (negentropy_ == Negentropy::proved && subscription.reconciliation->gave_all()) {
    subscription.reconciliation.reset();
    subscription.catch_up.reconciled(now.seconds());
    return reached_end(id, subscription, {}, out);
  }
  // The first time with this relay: everything is asked for in the plain way too, and compared.
  request_plainly(id, subscription, now, out);
}

void Relay::reconciliation_failed(const SubscriptionId& id, Subscription& subscription, Now now,
                                  Actions& out) {
  negentropy_ = Negentropy::refused;
  negotiations_lost_ = 0;
  if (std::exchange(subscription.negotiating, false))
    out.push_back(Send{to_frame(ClientMessage(NegCloseRequest{id}))});
  const bool in_page = subscription.page == Page::open;
  end_page(id, subscription, out);
  subscription.pages_given_up += in_page;
  if (subscription.catch_up.naming()) return second_named(id, subscription, true, now, out);
  subscription.reconciliation.reset();
  due_subscriptions_.set(id, std::nullopt);
  request_plainly(id, subscription, now, out);
}

// The comparison of the first time: an event that the relay had before, and that it did not name.
void Relay::compare(Subscription& subscription, const EventId& id, UnixSeconds created_at) {
  constexpr int64_t kUnderWaySeconds = 60;  // may have come between the two
  if (!subscription.reconciliation) return;
  subscription.reconciliation->came(id);
  if (subscription.catch_up.naming()) return;
  if (negentropy_ != Negentropy::unproved) return;
  const bool before = created_at.value + kUnderWaySeconds < subscription.reconcile_started.value;
  if (before && !subscription.reconciliation->accounts_for(id)) negentropy_ = Negentropy::refused;
}

void Relay::comparison_over(Subscription& subscription) {
  if (!subscription.reconciliation) return;
  subscription.reconciliation.reset();
  if (negentropy_ == Negentropy::unproved) negentropy_ = Negentropy::proved;
}

void Relay::on(const NegMessage& message, Now now, Actions& out) {
  const auto found = subscriptions_.find(message.subscription);
  if (found == subscriptions_.end() || !found->second.negotiating) return;
  Subscription& subscription = found->second;
  negotiations_lost_ = 0;
  auto step = subscription.reconciliation->answered(message.message);
  if (!step) return reconciliation_failed(message.subscription, subscription, now, out);
  take_step(message.subscription, subscription, std::move(*step), now, out);
}

void Relay::on(const NegError& message, Now now, Actions& out) {
  const auto found = subscriptions_.find(message.subscription);
  if (found == subscriptions_.end() || !found->second.negotiating) return;
  found->second.negotiating = false;  // the relay has closed it
  reconciliation_failed(message.subscription, found->second, now, out);
}

}  // namespace ipnscast::nostr
