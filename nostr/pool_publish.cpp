// The pool's way out: one event to several relays, one report.
#include "nostr/pool_impl.h"

namespace ipnscast::nostr {

void Pool::Impl::publish(Event event, const PublishOptions& wanted, PublishDone done) {
  const Now now = system_now();
  const Instant deadline = now.steady + wanted.deadline;
  Publish publish;
  publish.report.id = event.id;
  publish.quorum = wanted.quorum;
  publish.at_quorum = wanted.at_quorum;
  publish.deadline = deadline;
  publish.done = std::move(done);
  std::vector<Link*> targets;
  for (auto& link : links) {
    const bool asked =
        wanted.relays.empty() ||
        std::find(wanted.relays.begin(), wanted.relays.end(), link->url) != wanted.relays.end();
    if (!asked) continue;
    publish.report.relays[link->url] = {};
    targets.push_back(link.get());
  }
  const auto it = publishes.emplace(event.id, std::move(publish));
  if (targets.empty()) return report_if_due(it, true);

  loop.at(deadline, [self = weak_from_this(), id = event.id] {
    const auto impl = self.lock();
    if (!impl || impl->stopped) return;
    auto [first, last] = impl->publishes.equal_range(id);
    while (first != last) {
      const auto due = first++;
      if (due->second.deadline <= std::chrono::steady_clock::now()) impl->report_if_due(due, true);
    }
  });
  for (Link* link : targets) {
    Relay::Actions actions;
    link->machine.publish(event, deadline, now, actions);
    perform(*link, std::move(actions));
  }
}

void Pool::Impl::published(Link& link, const EventId& id, RelayOutcome outcome) {
  auto [first, last] = publishes.equal_range(id);
  while (first != last) {
    const auto it = first++;
    const auto relay = it->second.report.relays.find(link.url);
    if (relay == it->second.report.relays.end()) continue;
    relay->second = outcome;
    report_if_due(it, false);
  }
}

void Pool::Impl::report_if_due(std::multimap<EventId, Publish>::iterator it, bool deadline) {
  Publish& publish = it->second;
  if (publish.at_quorum && publish.report.stored_count() >= publish.quorum) {
    const PublishDone early = std::move(publish.at_quorum);
    publish.at_quorum = nullptr;
    early(publish.report);
  }
  if (!deadline && !publish.report.settled()) return;
  PublishReport report = std::move(publish.report);
  PublishDone done = std::move(publish.done);
  publishes.erase(it);
  if (done) done(std::move(report));
}

}  // namespace ipnscast::nostr
