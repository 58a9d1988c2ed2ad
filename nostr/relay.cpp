#include "nostr/relay.h"

#include <algorithm>

namespace ipnscast::nostr {
namespace {

void earliest(std::optional<Instant>& out, const std::optional<Instant>& candidate) {
  if (candidate && (!out || *candidate < *out)) out = candidate;
}

}  // namespace

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

Relay::Relay(Options options, Rng rng, bool can_authenticate)
    : options_(options),
      can_authenticate_(can_authenticate),
      rng_(rng),
      connect_backoff_(options.connect) {}

void Relay::start(Now /*now*/, Actions& out) {
  if (link_ != Link::idle) return;
  link_ = Link::connecting;
  out.push_back(Connect{});
}

void Relay::opened(Now now, Actions& out) {
  link_ = Link::open;
  auth_ = Auth::none;
  challenge_.clear();
  ++counters_.connects;
  connect_backoff_.succeeded(now.steady);
  for (auto& [id, subscription] : subscriptions_) request(id, subscription, out);
  for (auto& [id, publishing] : publishing_) write(publishing, now, out);
}

void Relay::closed(Now now, Milliseconds at_least, Actions& /*out*/) {
  link_ = Link::waiting;
  auth_ = Auth::none;
  connect_at_ = now.steady + connect_backoff_.failed(now.steady, rng_, at_least);
  for (auto& [id, subscription] : subscriptions_) {
    subscription.status = {SubscriptionState::waiting, ""};
    subscription.retry_at.reset();
  }
  for (auto& [id, publishing] : publishing_) {
    publishing.answer_by.reset();  // written again after the reconnect: relays answer duplicates
    publishing.needs_auth = publishing.authenticated_retry = false;
  }
}

void Relay::tick(Now now, Actions& out) {
  if (link_ == Link::waiting && connect_at_ && *connect_at_ <= now.steady) {
    connect_at_.reset();
    link_ = Link::connecting;
    out.push_back(Connect{});
  }
  for (auto& [id, subscription] : subscriptions_) {
    if (subscription.retry_at && *subscription.retry_at <= now.steady && connected()) {
      out.push_back(Send{to_frame(ClientMessage(CloseRequest{id}))});
      request(id, subscription, out);
    }
  }
  for (auto it = publishing_.begin(); it != publishing_.end();) {
    const auto current = it++;
    Publishing& publishing = current->second;
    if (publishing.answer_by && *publishing.answer_by <= now.steady) {
      settle(current, {PublishState::no_answer, "no OK in time", false, {}}, now, out);
    } else if (publishing.deadline <= now.steady && !publishing.answer_by) {
      RelayOutcome outcome;
      outcome.state = publishing.was_written ? PublishState::no_answer : PublishState::unreachable;
      outcome.reason = publishing.needs_auth ? "auth-required and not authenticated in time"
                       : connected()         ? "not accepted in time"
                                             : "no connection in time";
      settle(current, std::move(outcome), now, out);
    } else if (publishing.retry_at && *publishing.retry_at <= now.steady && connected()) {
      publishing.retry_at.reset();
      write(publishing, now, out);
    }
  }
}

std::optional<Instant> Relay::next_tick() const {
  std::optional<Instant> out;
  if (link_ == Link::waiting) earliest(out, connect_at_);
  for (const auto& [id, subscription] : subscriptions_) earliest(out, subscription.retry_at);
  for (const auto& [id, publishing] : publishing_) {
    if (publishing.answer_by) {
      earliest(out, publishing.answer_by);
    } else {
      earliest(out, publishing.deadline);
      if (connected()) earliest(out, publishing.retry_at);
    }
  }
  return out;
}

std::optional<SubscriptionStatus> Relay::status(const SubscriptionId& id) const {
  const auto found = subscriptions_.find(id);
  if (found == subscriptions_.end()) return std::nullopt;
  return found->second.status;
}

void Relay::subscribe(SubscriptionId id, std::vector<Filter> filters, Now /*now*/, Actions& out) {
  Subscription& subscription = subscriptions_[id];
  subscription = Subscription{};
  subscription.filters = std::move(filters);
  subscription.backoff = Backoff(options_.resubscribe);
  if (connected()) request(id, subscription, out);
}

void Relay::unsubscribe(const SubscriptionId& id, Actions& out) {
  const auto found = subscriptions_.find(id);
  if (found == subscriptions_.end()) return;
  const SubscriptionState state = found->second.status.state;
  subscriptions_.erase(found);
  const bool known_there =
      state == SubscriptionState::requested || state == SubscriptionState::live;
  if (connected() && known_there) out.push_back(Send{to_frame(ClientMessage(CloseRequest{id}))});
}

std::vector<Filter> Relay::resume_filters(const Subscription& subscription) const {
  std::vector<Filter> filters = subscription.filters;
  if (!subscription.reached_end) return filters;
  for (Filter& filter : filters) {
    filter.limit.reset();
    // Of addressable and replaceable kinds only the latest exist: the whole small set is asked for
    // again, because a device with a slow clock may have published below any mark of ours.
    const bool only_latest = !filter.kinds.empty() &&
                             std::all_of(filter.kinds.begin(), filter.kinds.end(), [](int kind) {
                               return kind_class(kind) == KindClass::addressable ||
                                      kind_class(kind) == KindClass::replaceable;
                             });
    if (only_latest || !subscription.newest) continue;
    const UnixSeconds mark{subscription.newest->value - options_.resume_overlap.count()};
    if (!filter.since || *filter.since < mark) filter.since = mark;
  }
  return filters;
}

void Relay::request(const SubscriptionId& id, Subscription& subscription, Actions& out) {
  subscription.retry_at.reset();
  subscription.status = {SubscriptionState::requested, ""};
  out.push_back(Send{to_frame(ClientMessage(ReqRequest{id, resume_filters(subscription)}))});
}

}  // namespace ipnscast::nostr
