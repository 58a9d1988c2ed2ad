// The pool's subscriptions: one for the caller, one or several REQs at every relay.
#include "ipnscast/nostr/pool/pool_impl.h"
#include "ipnscast/nostr/relay/split_filters.h"

namespace ipnscast::nostr {

void Pool::Impl::subscribe(SubscriptionKey key, const std::vector<Filter>& filters, Sink sink,
                           SubscribeOptions with) {
  auto [it, added] = subscriptions.try_emplace(key, options.remembered_events);
  if (!added) return;
  it->second.sink = std::move(sink);
  it->second.covered = std::move(with.covered);
  it->second.known = std::move(with.known);
  it->second.claimed_sequence = std::move(with.claimed_sequence);
  replace(key, filters);
}

void Pool::Impl::replace(SubscriptionKey key, const std::vector<Filter>& filters) {
  const auto found = subscriptions.find(key);
  if (found == subscriptions.end()) return;
  Subscription& subscription = found->second;
  subscription.filters = filters;
  subscription.groups.clear();
  subscription.needs = {0, 0, 0};
  for (auto& group : split_filters(filters)) {
    subscription.needs = greater(subscription.needs, needs_of(group));
    subscription.groups.push_back(CatchUp::share(std::move(group)));
  }
  resize_parts(key, subscription.parts, subscription.groups.size());
  set_rules(subscription, subscription.parts, subscription.groups);
  for (auto& link : links) {
    const auto covered = subscription.covered.find(link->url);
    place(key, subscription, *link,
          covered == subscription.covered.end() ? std::nullopt : std::optional(covered->second));
  }
}

// The REQs of a subscription at this relay: those that most relays share, unless they hold more
// than this one takes.
const std::vector<SubscriptionId>& Pool::Impl::parts_at(const Subscription& subscription,
                                                        const Link& link) {
  const auto own = subscription.own_parts.find(link.id);
  return own == subscription.own_parts.end() ? subscription.parts : own->second;
}

void Pool::Impl::place(SubscriptionKey key, Subscription& subscription, Link& link,
                       std::optional<UnixSeconds> covered) {
  std::vector<SubscriptionId>* at = &subscription.parts;
  std::vector<CatchUp::Filters> groups;
  const auto own = subscription.own_parts.find(link.id);
  if (fits(subscription.needs, link.requests)) {
    if (own != subscription.own_parts.end()) {
      resize_parts(key, own->second, 0);
      subscription.own_parts.erase(own);
    }
    groups = subscription.groups;
  } else {
    for (const SubscriptionId& part : subscription.parts) unsubscribe_at(link, part);
    for (auto& group : split_filters(subscription.filters, link.requests))
      groups.push_back(CatchUp::share(std::move(group)));
    at = &subscription.own_parts[link.id];
    resize_parts(key, *at, groups.size());
    set_rules(subscription, *at, groups);
  }
  const Relay::Resume resume{covered, subscription.known != nullptr};
  for (size_t i = 0; i < groups.size(); ++i) {
    Relay::Actions actions;
    link.machine.subscribe((*at)[i], groups[i], resume, system_now(), actions);
    perform(link, std::move(actions));
  }
}

void Pool::Impl::resize_parts(SubscriptionKey key, std::vector<SubscriptionId>& list,
                              size_t count) {
  while (list.size() > count) {
    const SubscriptionId part = list.back();
    list.pop_back();
    drop_part(part);
  }
  while (list.size() < count) {
    list.push_back("i" + std::to_string(next_part++));
    parts[list.back()] = key;
  }
}

void Pool::Impl::set_rules(const Subscription& subscription,
                           const std::vector<SubscriptionId>& list,
                           const std::vector<CatchUp::Filters>& groups) {
  if (!subscription.claimed_sequence) return;
  for (size_t i = 0; i < list.size(); ++i) {
    verify->rules().set(list[i],
                        std::make_shared<NewestRule>(subscription.claimed_sequence, groups[i]));
  }
}

void Pool::Impl::note_limits(Link& link) {
  if (const LearnedLimits& learned = link.machine.limits().learned(); learned != link.learned) {
    link.learned = learned;
    if (limits_observer) limits_observer(link.url, learned);
  }
  fit_requests(link);
}

// The relay takes less in one REQ than was thought, or more.
void Pool::Impl::fit_requests(Link& link) {
  const RequestLimits now = link.machine.limits().requests();
  if (now == link.requests) return;
  link.requests = now;
  for (auto& [key, subscription] : subscriptions) {
    const bool is_shared = subscription.own_parts.count(link.id) == 0;
    if (is_shared && fits(subscription.needs, now)) continue;
    auto mark = covered(subscription, link);
    if (const auto earlier = subscription.covered.find(link.url);
        !mark && earlier != subscription.covered.end())
      mark = earlier->second;
    place(key, subscription, link, mark);
  }
}

void Pool::Impl::unsubscribe_at(Link& link, const SubscriptionId& part) {
  Relay::Actions actions;
  link.machine.unsubscribe(part, system_now(), actions);
  perform(link, std::move(actions));
}

void Pool::Impl::drop_part(const SubscriptionId& part) {
  parts.erase(part);
  verify->rules().remove(part);
  for (auto& link : links) unsubscribe_at(*link, part);
}

void Pool::Impl::unsubscribe(SubscriptionKey key) {
  const auto found = subscriptions.find(key);
  if (found == subscriptions.end()) return;
  for (const SubscriptionId& part : found->second.parts) drop_part(part);
  for (const auto& [link, own] : found->second.own_parts) {
    for (const SubscriptionId& part : own) drop_part(part);
  }
  undelivered_count -= found->second.undelivered.size();
  subscriptions.erase(key);
  for (auto& link : links) update_reading(*link);
}

void Pool::Impl::tell_known(Link& link, const Relay::NeedKnown& wanted) {
  const auto found = parts.find(wanted.subscription);
  if (found == parts.end()) return;
  std::vector<NegentropySet> known;
  for (const Filter& filter : wanted.filters) {
    auto set = NegentropySet::seal(subscriptions.at(found->second).known(filter));
    known.push_back(set ? std::move(*set) : NegentropySet());
  }
  Relay::Actions actions;
  link.machine.known(wanted.subscription, std::move(known), system_now(), actions);
  perform(link, std::move(actions));
}

std::vector<RelayStatus> Pool::Impl::status() const {
  std::vector<RelayStatus> out;
  for (const auto& link : links) {
    RelayStatus status{link->url,
                       link->machine.connected(),
                       quarantine.holds(link->url, std::chrono::steady_clock::now()),
                       link->last_error,
                       link->machine.counters(),
                       link->machine.limits().learned(),
                       {}};
    for (const auto& [key, subscription] : subscriptions) {
      for (const SubscriptionId& part : parts_at(subscription, *link)) {
        if (const auto state = link->machine.status(part))
          status.subscriptions.emplace_back(key, *state);
      }
    }
    out.push_back(std::move(status));
  }
  return out;
}

}  // namespace ipnscast::nostr
