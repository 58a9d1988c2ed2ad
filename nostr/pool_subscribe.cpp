// The pool's subscriptions: one for the caller, one or several REQs at every relay.
#include "nostr/pool_impl.h"
#include "nostr/split_filters.h"

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
  const auto groups = split_filters(filters);
  while (subscription.parts.size() > groups.size()) {
    const SubscriptionId part = subscription.parts.back();
    subscription.parts.pop_back();
    drop_part(part);
  }
  while (subscription.parts.size() < groups.size()) {
    subscription.parts.push_back("i" + std::to_string(next_part++));
    parts[subscription.parts.back()] = key;
  }
  for (size_t i = 0; i < groups.size(); ++i) {
    const auto shared = CatchUp::share(groups[i]);
    if (subscription.claimed_sequence) {
      verify->rules().set(subscription.parts[i],
                          std::make_shared<NewestRule>(subscription.claimed_sequence, shared));
    }
    for (auto& link : links) {
      Relay::Actions actions;
      const auto covered = subscription.covered.find(link->url);
      Relay::Resume resume;
      if (covered != subscription.covered.end()) resume.covered = covered->second;
      resume.has_known = subscription.known != nullptr;
      link->machine.subscribe(subscription.parts[i], shared, resume, system_now(), actions);
      perform(*link, std::move(actions));
    }
  }
}

void Pool::Impl::drop_part(const SubscriptionId& part) {
  parts.erase(part);
  verify->rules().remove(part);
  for (auto& link : links) {
    Relay::Actions actions;
    link->machine.unsubscribe(part, system_now(), actions);
    perform(*link, std::move(actions));
  }
}

void Pool::Impl::unsubscribe(SubscriptionKey key) {
  const auto found = subscriptions.find(key);
  if (found == subscriptions.end()) return;
  for (const SubscriptionId& part : found->second.parts) drop_part(part);
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
                       {}};
    for (const auto& [key, subscription] : subscriptions) {
      for (const SubscriptionId& part : subscription.parts) {
        if (const auto state = link->machine.status(part))
          status.subscriptions.emplace_back(key, *state);
      }
    }
    out.push_back(std::move(status));
  }
  return out;
}

}  // namespace ipnscast::nostr
