// The seconds that a relay has more of than it sends at once, after all pages have come.
#include "ipnscast/nostr/relay/relay.h"

namespace ipnscast::nostr {
namespace {

constexpr std::string_view kSettling =
    "more events of one second than the relay sends at once are being asked for";

}  // namespace

void Relay::settle(const SubscriptionId& id, Subscription& subscription, Now now, Actions& out) {
  while (subscription.catch_up.crowded() != nullptr) {
    if (!informed_ && negentropy_ != Negentropy::refused) {
      delay_page(id, subscription, Page::needs_information,
                 {StoredEnd::Kind::delayed, std::string(kSettling)}, out);
      return due_subscriptions_.set(id, now.steady + options_.ok_timeout);
    }
    if (speaks_negentropy()) {
      subscription.reconcile_started = now.seconds();
      subscription.reconciliation = std::make_unique<Reconciliation>(
          std::vector<Filter>{subscription.catch_up.begin_naming()}, std::vector<NegentropySet>{});
      return take_step(id, subscription, subscription.reconciliation->start(), now, out);
    }
    if (auto piece = subscription.catch_up.begin_pieces(now.seconds()))
      return ask_page(id, subscription, std::move(piece), now, out);
  }
  ask_page(id, subscription, std::nullopt, now, out);
}

// NIP-77 has come to its end for a second, or failed.
void Relay::second_named(const SubscriptionId& id, Subscription& subscription, bool failed, Now now,
                         Actions& out) {
  std::optional<size_t> count;
  if (!failed && subscription.reconciliation->gave_all())
    count = subscription.reconciliation->named();
  subscription.reconciliation.reset();
  end_page(id, subscription, out);
  due_subscriptions_.set(id, std::nullopt);
  // What a relay does not name, or not give by id, it would be asked for again and again.
  if (!subscription.catch_up.named(count, now.seconds())) negentropy_ = Negentropy::refused;
  settle(id, subscription, now, out);
}

// The relay's information document came, or will not come: what waits for it goes on.
void Relay::information_settled() {
  informed_ = true;
  for (const auto& [id, subscription] : subscriptions_) {
    if (subscription.page == Page::needs_information) due_subscriptions_.set(id, Instant{});
  }
}

}  // namespace ipnscast::nostr
