// The subscriptions at one relay.
#include <algorithm>

#include "nostr/relay.h"

namespace ipnscast::nostr {
namespace {

constexpr std::string_view kPagePrefix = "p:";

// No use in asking again soon. NIP-01, NIP-42.
bool is_for_good(std::string_view prefix) {
  return prefix == "auth-required" || prefix == "restricted" || prefix == "blocked" ||
         prefix == "unsupported" || prefix == "invalid" || prefix == "pow";
}

}  // namespace

SubscriptionId Relay::page_id(const SubscriptionId& id) { return std::string(kPagePrefix) + id; }

std::string_view Relay::owner(std::string_view id_on_wire) {
  if (id_on_wire.starts_with(kPagePrefix)) id_on_wire.remove_prefix(kPagePrefix.size());
  return id_on_wire;
}

std::optional<SubscriptionStatus> Relay::status(const SubscriptionId& id) const {
  const auto found = subscriptions_.find(id);
  if (found == subscriptions_.end()) return std::nullopt;
  return found->second.status;
}

std::optional<UnixSeconds> Relay::covered(const SubscriptionId& id) const {
  const auto found = subscriptions_.find(id);
  return found == subscriptions_.end() ? std::nullopt : found->second.catch_up.covered();
}

void Relay::subscribe(SubscriptionId id, CatchUp::Filters filters, Resume resume, Now now,
                      Actions& out) {
  unsubscribe(id, now, out);
  Subscription& subscription = add(id, std::move(filters), resume);
  if (connected()) request(id, subscription, now, out);
}

void Relay::subscribe_as(const PublicKey& author, SubscriptionId id, CatchUp::Filters filters,
                         Now now, Actions& out) {
  const bool prove = connected() && auth_.was_asked() && auth_.holds(author) && !auth_.over(author);
  if (!prove) return subscribe(std::move(id), std::move(filters), {}, now, out);
  unsubscribe(id, now, out);
  add(id, std::move(filters), {}).status.state = SubscriptionState::needs_auth;
  want_auth({author}, out);
}

Relay::Subscription& Relay::add(const SubscriptionId& id, CatchUp::Filters filters, Resume resume) {
  CatchUp catch_up(std::move(filters), options_.catch_up, resume.covered);
  catch_up.relay_claims(limits_.answer_limit());
  Subscription& subscription = subscriptions_.emplace(id, std::move(catch_up)).first->second;
  subscription.backoff = Backoff(options_.resubscribe);
  subscription.has_known = resume.has_known;
  return subscription;
}

void Relay::unsubscribe(const SubscriptionId& id, Now now, Actions& out) {
  const auto found = subscriptions_.find(id);
  if (found == subscriptions_.end()) return;
  end_page(id, found->second, out);
  const SubscriptionState state = found->second.status.state;
  leave_requested(found->second, {});
  subscriptions_.erase(found);
  due_subscriptions_.set(id, std::nullopt);
  const bool known_there =
      state == SubscriptionState::requested || state == SubscriptionState::live;
  if (!connected() || !known_there) return;
  out.push_back(Send{to_frame(ClientMessage(CloseRequest{id}))});
  if (limits_.max_subscriptions()) request_waiting(now, out);
  request_next(now, out);
}

size_t Relay::open_subscriptions() const {
  size_t out = 0;
  for (const auto& [id, subscription] : subscriptions_) {
    const SubscriptionState state = subscription.status.state;
    out += state == SubscriptionState::requested || state == SubscriptionState::live;
    out += subscription.page_open;
  }
  return out;
}

bool Relay::has_room() const {
  const auto most = limits_.max_subscriptions();
  return !most || open_subscriptions() < *most;
}

void Relay::request(const SubscriptionId& id, Subscription& subscription, Now now, Actions& out) {
  due_subscriptions_.set(id, std::nullopt);
  if (!has_room()) {
    subscription.status = {SubscriptionState::waiting,
                           "the relay takes " + std::to_string(*limits_.max_subscriptions()) +
                               " subscriptions at a time"};
    return;
  }
  if (requested_ >= options_.max_requested &&
      subscription.status.state != SubscriptionState::requested) {
    subscription.status = {SubscriptionState::waiting, "other subscriptions are asked for first"};
    queued_.push_back(id);
    return;
  }
  if (!may_reconcile(subscription, now)) return request_plainly(id, subscription, now, out);
  enter_requested(subscription);
  auto filters = subscription.catch_up.begin_reconciling(now.seconds());
  out.push_back(Send{to_frame(ClientMessage(ReqRequest{id, std::move(filters)}))});
}

void Relay::request_plainly(const SubscriptionId& id, Subscription& subscription, Now now,
                            Actions& out) {
  subscription.page_open = false;
  enter_requested(subscription);
  auto filters = subscription.catch_up.begin(now.seconds());
  out.push_back(Send{to_frame(ClientMessage(ReqRequest{id, std::move(filters)}))});
}

void Relay::enter_requested(Subscription& subscription) {
  if (subscription.status.state != SubscriptionState::requested) ++requested_;
  subscription.status = {SubscriptionState::requested, ""};
}

void Relay::leave_requested(Subscription& subscription, SubscriptionStatus status) {
  if (subscription.status.state == SubscriptionState::requested) --requested_;
  subscription.status = std::move(status);
}

void Relay::request_next(Now now, Actions& out) {
  while (requested_ < options_.max_requested && !queued_.empty()) {
    const SubscriptionId id = std::move(queued_.front());
    queued_.pop_front();
    const auto found = subscriptions_.find(id);
    if (found == subscriptions_.end()) continue;
    if (found->second.status.state == SubscriptionState::waiting)
      request(id, found->second, now, out);
  }
}

// Those that wait for the connection or for room.
void Relay::request_waiting(Now now, Actions& out) {
  for (auto& [id, subscription] : subscriptions_) {
    if (subscription.status.state == SubscriptionState::waiting)
      request(id, subscription, now, out);
  }
}

void Relay::subscription_due(const SubscriptionId& id, Now now, Actions& out) {
  const auto found = subscriptions_.find(id);
  if (found == subscriptions_.end() || !connected()) return;
  Subscription& subscription = found->second;
  if (subscription.catch_up.reconciling()) return reconciliation_failed(id, subscription, now, out);
  if (subscription.page_open) {  // no end of the page in time
    end_page(id, subscription, out);
    subscription.catch_up.give_up();
    out.push_back(ReachedEnd{id});
    return;
  }
  if (subscription.status.state != SubscriptionState::backing_off &&
      subscription.status.state != SubscriptionState::refused) {
    return;
  }
  out.push_back(Send{to_frame(ClientMessage(CloseRequest{id}))});
  request(id, subscription, now, out);
}

// The subscription itself goes on live beside its pages.
void Relay::ask_page(const SubscriptionId& id, Subscription& subscription,
                     std::optional<Filter> page, Now now, Actions& out) {
  if (page && !subscription.page_open && !has_room()) {
    subscription.catch_up.give_up();
    page.reset();
  }
  if (!page) {
    end_page(id, subscription, out);
    if (subscription.catch_up.complete()) comparison_over(subscription);
    out.push_back(ReachedEnd{id});
    return;
  }
  subscription.page_open = true;
  ++counters_.pages;
  due_subscriptions_.set(id, now.steady + options_.page_timeout);
  out.push_back(Send{to_frame(ClientMessage(ReqRequest{page_id(id), {std::move(*page)}}))});
}

void Relay::end_page(const SubscriptionId& id, Subscription& subscription, Actions& out) {
  if (!subscription.page_open) return;
  subscription.page_open = false;
  due_subscriptions_.set(id, std::nullopt);
  if (connected()) out.push_back(Send{to_frame(ClientMessage(CloseRequest{page_id(id)}))});
}

std::vector<PublicKey> Relay::keys_for(const Subscription& subscription) const {
  std::vector<PublicKey> authors;
  for (const Filter& filter : subscription.catch_up.filters()) {
    authors.insert(authors.end(), filter.authors.begin(), filter.authors.end());
  }
  return auth_.useful_for(authors);
}

void Relay::on(const EoseMessage& message, Now now, Actions& out) {
  const SubscriptionId id(owner(message.subscription));
  const bool in_page = id.size() != message.subscription.size();
  const auto found = subscriptions_.find(id);
  if (found == subscriptions_.end()) return;
  Subscription& subscription = found->second;
  if (in_page ? !subscription.page_open
              : subscription.status.state != SubscriptionState::requested) {
    return;
  }
  if (!in_page) {
    leave_requested(subscription, {SubscriptionState::live, ""});
    subscription.backoff.succeeded(now.steady);
    request_next(now, out);
  }
  if (subscription.catch_up.reconciling()) {
    if (!in_page) return out.push_back(NeedKnown{id, subscription.catch_up.filters()});
    return take_step(id, subscription, subscription.reconciliation->fetched(), now, out);
  }
  ask_page(id, subscription, subscription.catch_up.ended(in_page, now.seconds()), now, out);
}

void Relay::on(const ClosedMessage& message, Now now, Actions& out) {
  const SubscriptionId id(owner(message.subscription));
  const auto found = subscriptions_.find(id);
  if (found == subscriptions_.end()) return;
  Subscription& subscription = found->second;
  if (id.size() != message.subscription.size()) {
    if (!subscription.page_open) return;
    subscription.page_open = false;  // closed by the relay: no CLOSE
    due_subscriptions_.set(id, std::nullopt);
    if (subscription.catch_up.reconciling())
      return reconciliation_failed(id, subscription, now, out);
    subscription.catch_up.give_up();
    out.push_back(ReachedEnd{id});
    return;
  }
  refused(id, subscription, message.reason, now, out);
}

void Relay::refused(const SubscriptionId& id, Subscription& subscription, const std::string& reason,
                    Now now, Actions& out) {
  end_page(id, subscription, out);
  const std::string_view prefix = reason_prefix(reason);
  leave_requested(subscription, {SubscriptionState::needs_auth, reason});
  request_next(now, out);
  if (prefix == "auth-required" && want_auth(keys_for(subscription), out)) return;
  subscription.status.state = SubscriptionState::backing_off;
  if (limits_.learn(reason, open_subscriptions())) {
    subscription.status = {SubscriptionState::waiting, reason};  // asked again when another ends
    return;
  }
  Milliseconds wait = options_.refused_retry;
  if (is_for_good(prefix)) {
    subscription.status.state = SubscriptionState::refused;
  } else {
    wait = subscription.backoff.failed(now.steady, rng_);
  }
  due_subscriptions_.set(id, now.steady + wait);
}

}  // namespace ipnscast::nostr
