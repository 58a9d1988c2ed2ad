// The subscriptions at one relay.
#include <algorithm>
#include <utility>

#include "ipnscast/nostr/relay/relay.h"

namespace ipnscast::nostr {
namespace {

constexpr std::string_view kPagePrefix = "p:";
constexpr char kTurnMark = '~';

SubscriptionId numbered(const SubscriptionId& id, uint32_t given_up) {
  return given_up == 0 ? id : id + kTurnMark + std::to_string(given_up);
}

}  // namespace

// No use in asking again soon. NIP-01, NIP-42.
bool Relay::is_for_good(std::string_view prefix) {
  return prefix == "auth-required" || prefix == "restricted" || prefix == "blocked" ||
         prefix == "unsupported" || prefix == "invalid" || prefix == "pow";
}

SubscriptionId Relay::wire_id(const SubscriptionId& id, const Subscription& subscription) {
  return numbered(id, subscription.given_up);
}

SubscriptionId Relay::page_id(const SubscriptionId& id, const Subscription& subscription) {
  return std::string(kPagePrefix) + numbered(id, subscription.pages_given_up);
}

std::string_view Relay::owner(std::string_view id_on_wire) {
  if (is_page(id_on_wire)) id_on_wire.remove_prefix(kPagePrefix.size());
  return id_on_wire.substr(0, id_on_wire.find(kTurnMark));
}

bool Relay::is_page(std::string_view id_on_wire) { return id_on_wire.starts_with(kPagePrefix); }

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
  Subscription& subscription = add(id, std::move(filters), {});
  subscription.status.state = SubscriptionState::needs_auth;
  want_auth({author}, now, out);
  await_auth(id, subscription, now);
}

Relay::Subscription& Relay::add(const SubscriptionId& id, CatchUp::Filters filters, Resume resume) {
  CatchUp catch_up(std::move(filters), options_.catch_up, resume.covered);
  catch_up.relay_claims(limits_.answer_limit(), limits_.information().max_limit);
  Subscription& subscription = subscriptions_.emplace(id, std::move(catch_up)).first->second;
  subscription.backoff = Backoff(options_.resubscribe);
  subscription.has_known = resume.has_known;
  return subscription;
}

void Relay::unsubscribe(const SubscriptionId& id, Now now, Actions& out) {
  const auto found = subscriptions_.find(id);
  if (found == subscriptions_.end()) return;
  end_page(id, found->second, out);
  leave_requested(found->second, {});
  if (connected()) close_request(id, found->second, out);
  subscriptions_.erase(found);
  refused_now_.erase(id);
  due_subscriptions_.set(id, std::nullopt);
  if (!connected()) return;
  room_came(now, out);
  request_next(now, out);
}

void Relay::request(const SubscriptionId& id, Subscription& subscription, Now now, Actions& out) {
  due_subscriptions_.set(id, std::nullopt);
  if (!has_room()) {
    subscription.status = {SubscriptionState::waiting,
                           "the relay takes " + std::to_string(*limits_.max_subscriptions()) +
                               " subscriptions at a time"};
    return wait_for_room(id, now);
  }
  if (requested_ >= options_.max_requested &&
      subscription.status.state != SubscriptionState::requested) {
    subscription.status = {SubscriptionState::waiting, "other subscriptions are asked for first"};
    queued_.push_back(id);
    return;
  }
  if (!may_reconcile(subscription, now)) return request_plainly(id, subscription, now, out);
  auto filters = subscription.catch_up.begin_reconciling(now.seconds());
  write_request(id, subscription, std::move(filters), now, out);
}

void Relay::request_plainly(const SubscriptionId& id, Subscription& subscription, Now now,
                            Actions& out) {
  auto filters = subscription.catch_up.begin(now.seconds());
  write_request(id, subscription, std::move(filters), now, out);
}

void Relay::write_request(const SubscriptionId& id, Subscription& subscription,
                          std::vector<Filter> filters, Now now, Actions& out) {
  if (subscription.status.state != SubscriptionState::requested) ++requested_;
  subscription.status = {SubscriptionState::requested, ""};
  subscription.page = Page::none;
  subscription.standing = true;
  subscription.end.reset();
  subscription.asked_at = now.steady;
  subscription.proofs = auth_.proofs();
  due_subscriptions_.set(id, now.steady + options_.page_timeout);
  const ReqRequest request{wire_id(id, subscription), std::move(filters)};
  out.push_back(Send{to_frame(ClientMessage(request))});
}

// No answer of the relay to this REQ counts any more.
void Relay::close_request(const SubscriptionId& id, Subscription& subscription, Actions& out) {
  if (!std::exchange(subscription.standing, false)) return;
  out.push_back(Send{to_frame(ClientMessage(CloseRequest{wire_id(id, subscription)}))});
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
  if (found == subscriptions_.end() || !connected() || !may_ask_again(id, now)) return;
  ask_due(id, found->second, now, out);
}

void Relay::ask_due(const SubscriptionId& id, Subscription& subscription, Now now, Actions& out) {
  switch (subscription.status.state) {
    case SubscriptionState::requested:
      if (still_patient(id, subscription, now)) return;
      request_timed_out(id, subscription, now);
      return request_next(now, out);
    case SubscriptionState::live:
      if (!subscription.catch_up.reconciling()) return page_due(id, subscription, now, out);
      if (still_patient(id, subscription, now)) return;
      return reconciliation_failed(id, subscription, now, out);
    case SubscriptionState::needs_auth:
      return auth_due(id, subscription, now, out);
    case SubscriptionState::waiting:
      try_for_room(now);
      return request(id, subscription, now, out);
    case SubscriptionState::backing_off:
    case SubscriptionState::refused:
      break;
  }
  if (subscription.standing) {
    close_request(id, subscription, out);
    ++subscription.given_up;
  } else {
    out.push_back(Send{to_frame(ClientMessage(CloseRequest{wire_id(id, subscription)}))});
  }
  for (const PublicKey& key : keys_for(subscription)) auth_.once_more(key, now.steady);
  request(id, subscription, now, out);
}

// Whether there is reason to wait on for the end of stored events; if so, when to look again.
bool Relay::still_patient(const SubscriptionId& id, const Subscription& subscription, Now now) {
  Instant until =
      std::max({subscription.asked_at, answering_at_, reading_since_}) + options_.page_timeout;
  until = std::min(until, subscription.asked_at + options_.answer_timeout);
  if (!reading_) until = now.steady + options_.page_timeout;
  if (until <= now.steady) return false;
  due_subscriptions_.set(id, until);
  return true;
}

// The REQ stands until it is asked again: what comes for it is welcome, its end too.
void Relay::request_timed_out(const SubscriptionId& id, Subscription& subscription, Now now) {
  ++counters_.timeouts;
  std::string reason = "no end of the stored events in time";
  if (!subscription.status.reason.empty()) reason += ": " + subscription.status.reason;
  leave_requested(subscription, {SubscriptionState::backing_off, std::move(reason)});
  due_subscriptions_.set(id, now.steady + subscription.backoff.failed(now.steady, rng_));
}

void Relay::note_answer(const Subscription& subscription, bool in_page, Now now) {
  if (in_page || subscription.status.state == SubscriptionState::requested)
    answering_at_ = now.steady;
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
  const bool in_page = is_page(message.subscription);
  const auto found = subscriptions_.find(id);
  if (found == subscriptions_.end()) return;
  Subscription& subscription = found->second;
  const SubscriptionState state = subscription.status.state;
  if (in_page) {
    if (subscription.page != Page::open || message.subscription != page_id(id, subscription))
      return;
  } else {
    const bool awaited = state == SubscriptionState::requested ||
                         (state == SubscriptionState::backing_off && subscription.standing);
    if (!awaited || message.subscription != wire_id(id, subscription)) return;
    due_subscriptions_.set(id, std::nullopt);
    leave_requested(subscription, {SubscriptionState::live, ""});
    subscription.backoff.succeeded(now.steady);
    if (subscription.proofs > 0) auth_.served();
  }
  retry_pace_.taken(now.steady);
  answering_at_ = now.steady;
  if (!in_page) request_next(now, out);
  if (subscription.catch_up.reconciling()) {
    if (!in_page) return out.push_back(NeedKnown{id, subscription.catch_up.filters()});
    return take_step(id, subscription, subscription.reconciliation->fetched(), now, out);
  }
  ask_page(id, subscription, subscription.catch_up.ended(in_page, now.seconds(), message.hint), now,
           out);
}

void Relay::on(const ClosedMessage& message, Now now, Actions& out) {
  const SubscriptionId id(owner(message.subscription));
  const auto found = subscriptions_.find(id);
  if (found == subscriptions_.end()) return;
  Subscription& subscription = found->second;
  if (is_page(message.subscription)) {
    if (subscription.page != Page::open || message.subscription != page_id(id, subscription))
      return;
    return page_refused(id, subscription, message.reason, now, out);
  }
  if (!subscription.standing || message.subscription != wire_id(id, subscription)) return;
  refused(id, subscription, message.reason, now, out);
}

void Relay::refused(const SubscriptionId& id, Subscription& subscription, const std::string& reason,
                    Now now, Actions& out) {
  end_page(id, subscription, out);
  subscription.standing = false;
  const std::string_view prefix = reason_prefix(reason);
  leave_requested(subscription, {SubscriptionState::needs_auth, reason});
  request_next(now, out);
  limits_.learn_request(reason, [&] { return needs_of(subscription.catch_up.filters()); });
  if (prefix == "auth-required") {
    switch (auth_required(keys_for(subscription), subscription.proofs,
                          subscription.tried_without_ok, now, out)) {
      case AuthStep::ask_again:
        return request(id, subscription, now, out);
      case AuthStep::wait:
        return await_auth(id, subscription, now);
      case AuthStep::restricted:
        subscription.status = {SubscriptionState::refused, restricted(reason)};
        due_subscriptions_.set(id, now.steady + options_.refused_retry);
        return room_came(now, out);
      case AuthStep::refused:
        break;
    }
  }
  if (limits_.learn(reason, [this] { return open_subscriptions(); })) {
    subscription.status.state = SubscriptionState::waiting;  // asked again when another ends
    return wait_for_room(id, now);
  }
  if (is_for_good(prefix) && !auth_unanswered(subscription)) {
    subscription.status.state = SubscriptionState::refused;
    due_subscriptions_.set(id, now.steady + options_.refused_retry);
  } else {
    subscription.status.state = SubscriptionState::backing_off;
    refused_for_now(id, subscription, now);
  }
  room_came(now, out);
}

}  // namespace ipnscast::nostr
