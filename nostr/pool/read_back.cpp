// Asking relays for what they say they have.
#include <algorithm>
#include <utility>

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/event/implied_d.h"
#include "ipnscast/nostr/pool/pool_impl.h"

namespace ipnscast::nostr {
namespace {

constexpr Milliseconds kReadBackTimeout{5'000};

// Whatever stands at the event's address now, or the event itself, also where not all relays find
// it by its address.
Filter read_back_filter(const Event& event) {
  Filter out;
  out.limit = 1;
  out.authors = {event.pubkey};
  const auto address = implies_empty_d(event) ? std::nullopt : address_of(event);
  if (address) {
    out.kinds = {address->kind};
    if (kind_class(address->kind) == KindClass::addressable) out.tags['d'] = {address->d};
  } else {
    out.ids = {event.id};
  }
  return out;
}

bool worth_asking(const RelayOutcome& outcome) {
  return outcome.stored() || outcome.doubtful || outcome.state == PublishState::no_answer ||
         outcome.state == PublishState::superseded;
}

// What was asked says of an outcome; true when the relay lost what it had acknowledged.
bool apply(ReadBack result, RelayOutcome& outcome) {
  const bool was_doubtful = std::exchange(outcome.doubtful, false);
  const bool acknowledged = outcome.state == PublishState::acknowledged;
  outcome.read_back = result;
  if (result == ReadBack::confirmed) {
    if (outcome.state != PublishState::duplicate) outcome.state = PublishState::acknowledged;
  } else if (result == ReadBack::newer) {
    outcome.state = PublishState::superseded;
  } else if (was_doubtful) {
    outcome.state = PublishState::no_answer;
  }
  return result == ReadBack::missing && acknowledged;
}

}  // namespace

void Pool::Impl::ask_later(Link& link, Publish& publish, const RelayOutcome& outcome) {
  if ((!publish.read_back && !outcome.doubtful) || !worth_asking(outcome)) return;
  ++publish.reading_back;
  // What a relay says that it has instead of ours can be asked for at once.
  const bool at_once = outcome.doubtful || outcome.state == PublishState::superseded;
  const Milliseconds wait = at_once ? Milliseconds(0) : *publish.read_back;
  loop.at(std::chrono::steady_clock::now() + wait,
          [self = weak_from_this(), number = link.id, id = publish.event.id] {
            const auto impl = self.lock();
            if (impl && !impl->stopped) impl->ask_back(*impl->links[number - 1], id);
          });
}

void Pool::Impl::read_back(Event event, const RelayUrl& relay, Milliseconds wait,
                           PublishDone done) {
  const Instant now = std::chrono::steady_clock::now();
  Publish publish;
  publish.report.id = event.id;
  publish.deadline = now;
  publish.read_back = wait;
  publish.done = std::move(done);
  publish.event = std::move(event);
  const auto link =
      std::find_if(links.begin(), links.end(), [&](const auto& one) { return one->url == relay; });
  const auto it = publishes.emplace(publish.event.id, std::move(publish));
  if (link == links.end()) return report_if_due(it);
  RelayOutcome& outcome = it->second.report.relays[relay];
  outcome.state = PublishState::acknowledged;
  outcome.quarantined = quarantine.holds(relay, now);
  ask_later(**link, it->second, outcome);
}

void Pool::Impl::ask_back(Link& link, const EventId& id) {
  const auto publish = publishes.find(id);
  if (publish == publishes.end()) return;
  const SubscriptionId part = "r" + std::to_string(next_part++);
  asking[part] = {id, link.id, ReadBack::missing, nullptr};
  if (!link.machine.connected()) return asking_over(part, ReadBack::no_answer);
  loop.at(std::chrono::steady_clock::now() + kReadBackTimeout, [self = weak_from_this(), part] {
    const auto impl = self.lock();
    if (impl && !impl->stopped) impl->asking_over(part, ReadBack::no_answer);
  });
  const Event event = publish->second.event;
  Relay::Actions actions;
  link.machine.subscribe_as(event.pubkey, part, CatchUp::share({read_back_filter(event)}),
                            system_now(), actions);
  perform(link, std::move(actions));
}

// True when the message is for a question of ours.
bool Pool::Impl::take_asked(const SubscriptionId& part, const PoolMessage& message) {
  const auto found = asking.find(part);
  if (found == asking.end()) return false;
  Asking& question = found->second;
  if (const auto* event = std::get_if<PoolEvent>(&message)) {
    const auto publish = publishes.find(question.event);
    if (event->event.id == question.event) {
      question.result = ReadBack::confirmed;
    } else if (publish != publishes.end() && question.result != ReadBack::confirmed &&
               supersedes(event->event, publish->second.event)) {
      question.result = ReadBack::newer;
      question.newer = std::make_shared<const Event>(event->event);
    }
  } else if (std::holds_alternative<PoolEose>(message)) {
    asking_over(part, question.result);
  }
  return true;
}

void Pool::Impl::asking_over(const SubscriptionId& part, ReadBack result) {
  const auto found = asking.find(part);
  if (found == asking.end()) return;
  const Asking question = std::move(found->second);
  asking.erase(found);
  Link& link = *links[question.link - 1];
  Relay::Actions actions;
  link.machine.unsubscribe(part, system_now(), actions);
  perform(link, std::move(actions));

  auto [first, last] = publishes.equal_range(question.event);
  while (first != last) {
    const auto it = first++;
    const auto relay = it->second.report.relays.find(link.url);
    if (relay == it->second.report.relays.end() || it->second.reading_back == 0 ||
        relay->second.read_back != ReadBack::not_asked || !worth_asking(relay->second))
      continue;
    RelayOutcome& outcome = relay->second;
    outcome.newer = question.newer;
    const bool gone = result == ReadBack::missing && it->second.deleted;
    const ReadBack told = gone ? ReadBack::no_answer : result;
    const bool lost = apply(told, outcome);
    judge(link.url, told, lost);
    --it->second.reading_back;
    report_if_due(it);
  }
}

// What the answer says of the relay. R15
void Pool::Impl::judge(const RelayUrl& relay, ReadBack result, bool lost) {
  const Instant now = std::chrono::steady_clock::now();
  const size_t before = quarantine.standing(relay, now).losses;
  if (result == ReadBack::confirmed) quarantine.kept(relay, now);
  const bool put_away = lost && quarantine.lost(relay, now);
  if (put_away) {
    log_warning(
        "relay",
        relay.text() + ": acknowledges events and loses them: what it says does not count for now");
  }
  const RelayStanding after = quarantine.standing(relay, now);
  if (standing_observer && (put_away || after.losses != before)) standing_observer(relay, after);
}

void Pool::Impl::asking_lost(const Link& link) {
  std::vector<SubscriptionId> lost;
  for (const auto& [part, question] : asking) {
    if (question.link == link.id) lost.push_back(part);
  }
  for (const SubscriptionId& part : lost) asking_over(part, ReadBack::no_answer);
}

}  // namespace ipnscast::nostr
