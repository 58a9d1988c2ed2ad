// The pool's way out: one event to several relays, one report.
#include "ipnscast/nostr/nip/nip09.h"
#include "ipnscast/nostr/pool/pool_impl.h"

namespace ipnscast::nostr {

void Pool::Impl::publish(const Event& event, const PublishOptions& wanted, PublishDone done) {
  const Now now = system_now();
  const Instant deadline = now.steady + wanted.deadline;
  Publish publish;
  publish.event = event;
  publish.report.id = event.id;
  publish.quorum = wanted.quorum;
  publish.at_quorum = wanted.at_quorum;
  publish.at_settled = wanted.at_settled;
  publish.deadline = deadline;
  if (kind_class(event.kind) != KindClass::ephemeral) publish.read_back = wanted.read_back;
  publish.done = std::move(done);
  if (const auto deletion = Deletion::of(event)) {
    for (auto& [id, other] : publishes) other.deleted |= deletion->covers(other.event);
  }
  std::vector<Link*> targets;
  for (auto& link : links) {
    const bool asked =
        wanted.relays.empty() ||
        std::find(wanted.relays.begin(), wanted.relays.end(), link->url) != wanted.relays.end();
    if (!asked) continue;
    publish.report.relays[link->url].quarantined = quarantine.holds(link->url, now.steady);
    targets.push_back(link.get());
  }
  const auto it = publishes.emplace(event.id, std::move(publish));
  if (targets.empty()) return report_if_due(it);

  loop.at(deadline, [self = weak_from_this(), id = event.id] {
    const auto impl = self.lock();
    if (impl && !impl->stopped) impl->deadline_passed(id);
  });
  for (Link* link : targets) {
    Relay::Actions actions;
    link->machine.publish(event, deadline, now, actions);
    perform(*link, std::move(actions));
  }
}

// What is still open ends here. The relays' machines do the same for themselves, but may serve a
// later deadline with the same event.
void Pool::Impl::deadline_passed(const EventId& id) {
  const Instant now = std::chrono::steady_clock::now();
  auto [first, last] = publishes.equal_range(id);
  while (first != last) {
    const auto it = first++;
    if (it->second.deadline > now) continue;
    for (auto& link : links) {
      const auto relay = it->second.report.relays.find(link->url);
      if (relay == it->second.report.relays.end() || relay->second.settled()) continue;
      if (relay->second.doubtful) {  // is being read back, which may still say more
        relay->second.doubtful = false;
        relay->second.state = PublishState::no_answer;
        continue;
      }
      const RelayOutcome open = link->machine.outcome(id).value_or(RelayOutcome{});
      RelayOutcome outcome = outcome_at_deadline(open, open.state == PublishState::written);
      outcome.quarantined = relay->second.quarantined;
      relay->second = std::move(outcome);
      ask_later(*link, it->second, relay->second);
    }
    report_if_due(it);
  }
}

void Pool::Impl::published(Link& link, const EventId& id, RelayOutcome outcome) {
  auto [first, last] = publishes.equal_range(id);
  while (first != last) {
    const auto it = first++;
    const auto relay = it->second.report.relays.find(link.url);
    if (relay == it->second.report.relays.end() || relay->second.settled() ||
        relay->second.doubtful)
      continue;
    outcome.quarantined = relay->second.quarantined;
    relay->second = outcome;
    ask_later(link, it->second, outcome);
    report_if_due(it);
  }
}

void Pool::Impl::report_if_due(std::multimap<EventId, Publish>::iterator it) {
  Publish& publish = it->second;
  if (publish.at_quorum && publish.quorum.reached(publish.report)) {
    const PublishDone early = std::exchange(publish.at_quorum, nullptr);
    early(publish.report);
  }
  if (!publish.report.settled()) return;
  if (publish.at_settled) {
    const PublishDone settled = std::exchange(publish.at_settled, nullptr);
    settled(publish.report);
  }
  if (publish.reading_back > 0) return;
  PublishReport report = std::move(publish.report);
  PublishDone done = std::move(publish.done);
  publishes.erase(it);
  if (done) done(std::move(report));
}

}  // namespace ipnscast::nostr
