// What a relay says, and what follows from it.
#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/nip/nip40.h"
#include "ipnscast/nostr/relay/relay.h"

namespace ipnscast::nostr {
namespace {

constexpr uint32_t kMostNotices = 32;
constexpr Milliseconds kNoticePeriod{1'000};

}  // namespace

void Relay::frame(CheckedFrame frame, Now now, Actions& out) {
  switch (frame.verdict) {
    case Verdict::bad_id:
    case Verdict::bad_signature:
      ++counters_.forged;
      return note_dropped(frame.subscription, frame, now);
    case Verdict::malformed:
    case Verdict::too_large:
      ++counters_.malformed;
      return note_dropped(frame.subscription, frame, now);
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
  if (const auto* event = std::get_if<EventMessage>(&*frame.message))
    return on(frame, *event, now, out);
  std::visit(
      [&](const auto& message) {
        if constexpr (!std::is_same_v<std::decay_t<decltype(message)>, EventMessage>)
          on(message, now, out);
      },
      *frame.message);
  write_suspects(now, out);
}

// An event that need not be delivered again still is part of this relay's answer.
void Relay::note_duplicate(const CheckedFrame& frame, Now now) {
  const auto found = subscriptions_.find(SubscriptionId(owner(frame.subscription)));
  if (found == subscriptions_.end() || link_ != Link::open) return;
  Subscription& subscription = found->second;
  const bool in_page = is_page(frame.subscription);
  compare(subscription, frame.id, frame.created_at);
  note_answer(subscription, in_page, now);
  subscription.catch_up.took(frame.created_at, frame.bytes, now.seconds(), in_page);
}

// So is one that is of no use.
void Relay::note_dropped(const SubscriptionId& on_wire, const CheckedFrame& frame, Now now) {
  const auto found = subscriptions_.find(SubscriptionId(owner(on_wire)));
  if (found == subscriptions_.end() || link_ != Link::open) return;
  const bool in_page = is_page(on_wire);
  const bool has_time = frame.created_at.value > 0;
  note_answer(found->second, in_page, now);
  found->second.catch_up.dropped(has_time ? std::optional(frame.created_at) : std::nullopt,
                                 frame.bytes, in_page);
}

void Relay::on(const CheckedFrame& frame, const EventMessage& message, Now now, Actions& out) {
  const SubscriptionId id(owner(message.subscription));
  const auto found = subscriptions_.find(id);
  const Event& event = message.event;
  if (found == subscriptions_.end() || !found->second.catch_up.matches(event)) {
    ++counters_.unsolicited;
    return note_dropped(message.subscription, frame, now);
  }
  Subscription& subscription = found->second;
  const bool in_page = is_page(message.subscription);
  compare(subscription, event.id, event.created_at);
  note_answer(subscription, in_page, now);
  subscription.catch_up.took(event.created_at, frame.bytes, now.seconds(), in_page);
  if (const auto end = expiration(event); end && *end <= now.seconds()) {
    ++counters_.expired;
    return;
  }
  ++counters_.delivered;
  out.push_back(Deliver{id, event});
}

// Of the REQs that a NOTICE may be meant for.
RequestLimits Relay::greatest_needs() const {
  RequestLimits out{0, 0, 0};
  for (const auto& [id, subscription] : subscriptions_) {
    if (subscription.status.state == SubscriptionState::requested)
      out = greater(out, needs_of(subscription.catch_up.filters()));
  }
  return out;
}

// Some relays have nothing else for a REQ that they refuse. All subscriptions are looked at for
// each, so that only some of a flood are read.
void Relay::on(const NoticeMessage& message, Now now, Actions& /*out*/) {
  ++counters_.notices;
  if (now.steady - notices_since_ >= kNoticePeriod) {
    notices_since_ = now.steady;
    notices_read_ = 0;
  }
  if (++notices_read_ > kMostNotices) return;
  const std::string words = message.text.substr(0, 200);
  size_t live = 0;
  for (auto& [id, subscription] : subscriptions_) {
    live += subscription.status.state == SubscriptionState::live;
    if (subscription.status.state == SubscriptionState::requested)
      subscription.status.reason = words;
  }
  limits_.learn(message.text, [live] { return live; });
  if (requested_ > 0) limits_.learn_request(message.text, [this] { return greatest_needs(); });
  if (log_enabled(LogLevel::debug)) log_debug("relay", "notice: " + words);
}

void Relay::on(const CountMessage& /*message*/, Now /*now*/, Actions& /*out*/) {}

void Relay::on(const UnknownMessage& /*message*/, Now /*now*/, Actions& /*out*/) {
  ++counters_.malformed;
}

}  // namespace ipnscast::nostr
