// The pool's way in: from a frame to the subscriber.
#include "ipnscast/nostr/pool/pool_impl.h"

namespace ipnscast::nostr {

void Pool::Impl::received(Link& link, std::string frame) {
  net::VerifyThreads::Job job{link.id, std::move(frame)};
  if (link.stalled.empty() && verify->submit(job)) {
    ++link.checking;
    return;
  }
  link.stalled.push_back(std::move(job.text));
  update_reading(link);
}

void Pool::Impl::flush_stalled() {
  for (auto& link : links) {
    while (!link->stalled.empty()) {
      net::VerifyThreads::Job job{link->id, std::move(link->stalled.front())};
      if (!verify->submit(job)) {
        link->stalled.front() = std::move(job.text);
        break;
      }
      ++link->checking;
      link->stalled.pop_front();
    }
    end_link_if_due(*link);
    update_reading(*link);
  }
}

void Pool::Impl::update_reading(Link& link) {
  if (!link.socket) return;
  const bool reads = !blocked() && link.stalled.empty();
  link.machine.reading(reads, system_now());
  if (reads) {
    link.socket->resume_reading();
  } else {
    link.socket->pause_reading();
  }
}

void Pool::Impl::checked(std::vector<net::VerifyThreads::Checked> batch) {
  if (stopped) return;
  for (auto& one : batch) {
    Link& link = *links[one.relay - 1];
    CheckedFrame& result = one.result;
    --link.checking;
    if (result.verdict == Verdict::duplicate && wants(result)) {
      auto message = parse_relay_message(one.text, options.limits);
      if (message) result.message = std::move(*message);
    }
    SubscriptionId refused;
    if (result.message) {
      if (const auto* closed = std::get_if<ClosedMessage>(&*result.message))
        refused = Relay::owner(closed->subscription);
    }
    Relay::Actions actions;
    link.machine.frame(std::move(result), system_now(), actions);
    perform(link, std::move(actions));
    if (stopped) return;
    if (!refused.empty()) note_part(link, refused);
    note_limits(link);
    end_link_if_due(link);
  }
}

// Somebody waits for the event of this duplicate.
bool Pool::Impl::wants(const CheckedFrame& duplicate) const {
  const SubscriptionId id(Relay::owner(duplicate.subscription));
  if (asking.count(id) != 0) return true;
  const auto part = parts.find(id);
  return part != parts.end() && !subscriptions.at(part->second).delivered.contains(duplicate.id);
}

void Pool::Impl::deliver(const Link& link, const SubscriptionId& part, PoolMessage message) {
  if (take_asked(part, message)) return;
  const auto found = parts.find(part);
  if (found == parts.end()) return;
  Subscription& subscription = subscriptions.at(found->second);
  std::visit([&](auto& m) { m.subscription = found->second; }, message);
  if (auto* event = std::get_if<PoolEvent>(&message)) {
    if (subscription.claimed_sequence) {
      if (const auto rule = verify->rules().find(part)) rule->delivered(event->event);
    }
    if (!subscription.delivered.insert(event->event.id)) return;
    event->covered = covered(subscription, link);
  } else if (auto* end = std::get_if<PoolEose>(&message)) {
    end->covered = covered(subscription, link);
  }
  if (subscription.undelivered.empty() && subscription.sink(message)) return;
  subscription.undelivered.push_back(std::move(message));
  if (++undelivered_count == 1) {
    for (auto& other : links) update_reading(*other);
  }
}

// The stored events of all parts together.
void Pool::Impl::note_end(Link& link, const SubscriptionId& part) {
  PoolEose message{{}, link.url, {}, {}};
  if (const auto found = parts.find(part); found != parts.end()) {
    for (const SubscriptionId& one : parts_at(subscriptions.at(found->second), link)) {
      auto end = link.machine.end(one);
      if (!end) return;
      if (end->kind == StoredEnd::Kind::complete) continue;
      if (message.end.kind != StoredEnd::Kind::delayed) message.end = std::move(*end);
    }
  }
  deliver(link, part, std::move(message));
}

void Pool::Impl::flush_undelivered() {
  for (auto& [key, subscription] : subscriptions) {
    while (!subscription.undelivered.empty() &&
           subscription.sink(subscription.undelivered.front())) {
      subscription.undelivered.pop_front();
      --undelivered_count;
    }
  }
  for (auto& link : links) update_reading(*link);
}

// Of all its parts together.
std::optional<UnixSeconds> Pool::Impl::covered(const Subscription& subscription,
                                               const Link& link) const {
  std::optional<UnixSeconds> least;
  for (const SubscriptionId& part : parts_at(subscription, link)) {
    const auto at = link.machine.covered(part);
    if (!at) return std::nullopt;
    least = least ? std::min(*least, *at) : *at;
  }
  return least;
}

void Pool::Impl::note_links(Link& link) {
  for (auto& [key, subscription] : subscriptions) note_link(link, key, subscription);
}

void Pool::Impl::note_part(Link& link, const SubscriptionId& part) {
  const auto found = parts.find(part);
  if (found != parts.end()) note_link(link, found->second, subscriptions.at(found->second));
}

// Tells the subscription when its share at this relay went live or was lost, or for what else it is
// missing now.
void Pool::Impl::note_link(Link& link, SubscriptionKey key, Subscription& subscription) {
  const auto& all = parts_at(subscription, link);
  if (all.empty()) return;
  bool all_live = link.machine.connected();
  bool under_way = all_live;
  std::string reason = link.last_error;
  for (const SubscriptionId& part : all) {
    const auto status = link.machine.status(part);
    if (status && status->state == SubscriptionState::live) continue;
    all_live = false;
    under_way = under_way && status && status->state == SubscriptionState::requested;
    if (status && !status->reason.empty()) reason = status->reason;
  }
  if (!all_live && under_way) return;  // nothing to tell yet
  const Standing standing{all_live, all_live ? "" : reason};
  const auto [told, first] = subscription.told.try_emplace(link.id, standing);
  if (!first && told->second == standing) return;
  told->second = standing;
  deliver(link, all.front(), PoolLink{key, link.url, all_live, standing.reason});
}

}  // namespace ipnscast::nostr
