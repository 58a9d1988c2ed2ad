#include "ipnscast/nostr/relay/relay.h"

#include <algorithm>

namespace ipnscast::nostr {

std::string_view to_string(SubscriptionState state) {
  switch (state) {
    case SubscriptionState::waiting:
      return "waiting for the connection";
    case SubscriptionState::requested:
      return "requested";
    case SubscriptionState::live:
      return "live";
    case SubscriptionState::needs_auth:
      return "needs authentication";
    case SubscriptionState::backing_off:
      return "backing off";
    case SubscriptionState::refused:
      return "refused";
  }
  return "waiting";
}

Relay::Relay(Options options, Rng rng, std::vector<PublicKey> keys)
    : options_(options),
      can_authenticate_(!keys.empty()),
      rng_(rng),
      connect_backoff_(options.connect),
      outage_backoff_(options.connect_in_outage),
      auth_(std::move(keys)),
      retry_pace_(options.resubscribe) {}

void Relay::start(Now /*now*/, Actions& out) {
  if (link_ != Link::idle) return;
  link_ = Link::connecting;
  out.push_back(Connect{});
}

void Relay::opened(Now now, Actions& out) {
  link_ = Link::open;
  auth_.reset();
  reading(true, now);
  ++counters_.connects;
  connect_backoff_.succeeded(now.steady);
  outage_backoff_ = Backoff(options_.connect_in_outage);
  lost_in_outage_ = false;
  request_waiting(now, out);
  for (auto it = publishing_.begin(); it != publishing_.end();) {
    const auto current = it++;  // what this relay would refuse is settled and gone
    if (current->second.cuts == 0) write(current->second, now, out);
  }
  write_suspects(now, out);
}

void Relay::closed(Now now, Loss loss, Actions& out) {
  note_cut(loss, now, out);
  link_ = Link::waiting;
  auth_.reset();
  lost_in_outage_ = loss.ours;
  connect_at_ = now.steady + (loss.ours ? outage_backoff_.failed(now.steady, rng_)
                                        : connect_backoff_.failed(now.steady, rng_, loss.at_least));
  requested_ = 0;
  queued_.clear();
  refused_now_.clear();
  again_.clear();
  retry_pace_ = RetryPace(options_.resubscribe);
  constexpr uint32_t kMostLost = 2;
  for (auto& [id, subscription] : subscriptions_) {
    // Some relays hang up at what they do not know.
    if (subscription.negotiating && !loss.ours && ++negotiations_lost_ >= kMostLost)
      negentropy_ = Negentropy::refused;
    subscription.status = {SubscriptionState::waiting, ""};
    subscription.standing = subscription.negotiating = subscription.tried_without_ok = false;
    subscription.page = Page::none;
    subscription.end.reset();
    subscription.given_up = subscription.pages_given_up = 0;
    subscription.reconciliation.reset();
    if (!subscription.lost_at || subscription.catch_up.complete()) {
      subscription.lost_at = now.steady;
    }
    due_subscriptions_.set(id, std::nullopt);
  }
  for (auto& [id, publishing] : publishing_) {
    publishing.answer_by.reset();  // written again after the reconnect: relays answer duplicates
    publishing.needs_auth = publishing.waited_for_auth = publishing.tried_without_ok = false;
    schedule(publishing);
  }
}

void Relay::network_back(Now now) {
  if (link_ != Link::waiting || !lost_in_outage_) return;
  outage_backoff_ = Backoff(options_.connect_in_outage);
  const int64_t first = options_.connect_in_outage.first.count();
  std::uniform_int_distribution<int64_t> soon(first / 2 + 1, first);
  connect_at_ = now.steady + Milliseconds(soon(rng_));
}

void Relay::announced(const RelayInformation& information) {
  limits_.announced(information);
  for (auto& [id, subscription] : subscriptions_) {
    subscription.catch_up.relay_claims(limits_.answer_limit(), information.max_limit);
  }
  information_settled();
}

void Relay::reading(bool on, Now now) {
  if (on && !reading_) reading_since_ = now.steady;
  reading_ = on;
}

void Relay::tick(Now now, Actions& out) {
  if (link_ == Link::waiting && connect_at_ && *connect_at_ <= now.steady) {
    connect_at_.reset();
    link_ = Link::connecting;
    out.push_back(Connect{});
  }
  auth_pauses_over(now, out);
  for (const SubscriptionId& id : due_subscriptions_.take_due(now.steady)) {
    subscription_due(id, now, out);
  }
  ask_refused(now, out);
  for (const EventId& id : due_publishing_.take_due(now.steady)) publishing_due(id, now, out);
  write_suspects(now, out);
}

std::optional<Instant> Relay::next_tick() const {
  std::optional<Instant> out = link_ == Link::waiting ? connect_at_ : std::nullopt;
  if (!again_.empty() && (!out || retry_pace_.next() < *out)) out = retry_pace_.next();
  for (const auto& next :
       {due_subscriptions_.earliest(), due_publishing_.earliest(), auth_.next_due()}) {
    if (next && (!out || *next < *out)) out = next;
  }
  return out;
}

}  // namespace ipnscast::nostr
