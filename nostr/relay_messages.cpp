// What a relay says, and what follows from it.
#include "nostr/base/log.h"
#include "nostr/relay.h"

namespace ipnscast::nostr {

void Relay::frame(CheckedFrame frame, Now now, Actions& out) {
  switch (frame.verdict) {
    case Verdict::bad_id:
    case Verdict::bad_signature:
      ++counters_.forged;
      return;
    case Verdict::malformed:
    case Verdict::too_large:
      ++counters_.malformed;
      return;
    case Verdict::skipped:
      return;
    case Verdict::other:
    case Verdict::verified:
    case Verdict::known:
    case Verdict::duplicate:
      break;
  }
  if (!frame.message || link_ != Link::open) return;
  std::visit([&](const auto& message) { on(message, now, out); }, *frame.message);
}

void Relay::on(const EventMessage& message, Now now, Actions& out) {
  const auto found = subscriptions_.find(message.subscription);
  if (found == subscriptions_.end() || !matches_any(found->second.filters, message.event)) {
    ++counters_.unsolicited;
    return;
  }
  Subscription& subscription = found->second;
  // An event from the future must not move the mark beyond what others publish now.
  const UnixSeconds seen = std::min(message.event.created_at, now.seconds());
  if (!subscription.newest || *subscription.newest < seen) subscription.newest = seen;
  ++counters_.delivered;
  out.push_back(Deliver{message.subscription, message.event});
}

void Relay::on(const EoseMessage& message, Now now, Actions& out) {
  const auto found = subscriptions_.find(message.subscription);
  if (found == subscriptions_.end()) return;
  found->second.status = {SubscriptionState::live, ""};
  found->second.reached_end = true;
  found->second.backoff.succeeded(now.steady);
  out.push_back(ReachedEnd{message.subscription});
}

void Relay::on(const ClosedMessage& message, Now now, Actions& out) {
  const auto found = subscriptions_.find(message.subscription);
  if (found == subscriptions_.end()) return;
  Subscription& subscription = found->second;
  const std::string_view prefix = reason_prefix(message.reason);
  if (prefix == "auth-required" && can_authenticate_ && auth_ != Auth::done &&
      auth_ != Auth::refused) {
    subscription.status = {SubscriptionState::needs_auth, message.reason};
    return want_auth(out);
  }
  const bool for_good = prefix == "auth-required" || prefix == "restricted" ||
                        prefix == "blocked" || prefix == "unsupported" || prefix == "invalid" ||
                        prefix == "pow";
  subscription.status = {for_good ? SubscriptionState::refused : SubscriptionState::backing_off,
                         message.reason};
  subscription.retry_at = now.steady + (for_good ? options_.refused_retry
                                                 : subscription.backoff.failed(now.steady, rng_));
}

void Relay::on(const NoticeMessage& message, Now /*now*/, Actions& /*out*/) {
  ++counters_.notices;
  if (log_enabled(LogLevel::debug)) log_debug("relay", "notice: " + message.text.substr(0, 200));
}

void Relay::on(const CountMessage& /*message*/, Now /*now*/, Actions& /*out*/) {}

void Relay::on(const UnknownMessage& /*message*/, Now /*now*/, Actions& /*out*/) {
  ++counters_.malformed;
}

}  // namespace ipnscast::nostr
