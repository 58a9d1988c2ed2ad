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
      return note_duplicate(frame, now);
    case Verdict::duplicate:
      if (!frame.message) return note_duplicate(frame, now);
      break;
    case Verdict::other:
    case Verdict::verified:
    case Verdict::known:
      break;
  }
  if (!frame.message || link_ != Link::open) return;
  std::visit([&](const auto& message) { on(message, now, out); }, *frame.message);
}

// An event that need not be delivered again still is part of this relay's answer.
void Relay::note_duplicate(const CheckedFrame& frame, Now now) {
  const SubscriptionId id(owner(frame.subscription));
  const auto found = subscriptions_.find(id);
  if (found == subscriptions_.end() || link_ != Link::open) return;
  compare(found->second, frame.id, frame.created_at);
  found->second.catch_up.took(frame.created_at, now.seconds(),
                              id.size() != frame.subscription.size());
}

void Relay::on(const EventMessage& message, Now now, Actions& out) {
  const SubscriptionId id(owner(message.subscription));
  const auto found = subscriptions_.find(id);
  if (found == subscriptions_.end() || !found->second.catch_up.matches(message.event)) {
    ++counters_.unsolicited;
    return;
  }
  compare(found->second, message.event.id, message.event.created_at);
  CatchUp& catch_up = found->second.catch_up;
  catch_up.took(message.event.created_at, now.seconds(), id.size() != message.subscription.size());
  ++counters_.delivered;
  out.push_back(Deliver{id, message.event});
}

void Relay::on(const NoticeMessage& message, Now /*now*/, Actions& /*out*/) {
  ++counters_.notices;
  limits_.learn(message.text, open_subscriptions());
  if (log_enabled(LogLevel::debug)) log_debug("relay", "notice: " + message.text.substr(0, 200));
}

void Relay::on(const CountMessage& /*message*/, Now /*now*/, Actions& /*out*/) {}

void Relay::on(const UnknownMessage& /*message*/, Now /*now*/, Actions& /*out*/) {
  ++counters_.malformed;
}

}  // namespace ipnscast::nostr
