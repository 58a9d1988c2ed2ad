#include <algorithm>

#include "ipnscast/tests/sim/relay_world.h"
#include "ipnscast/tests/support/catch.h"

namespace ipnscast::test {
namespace {

constexpr int64_t kKeepSeconds = 60 * 86'400;
constexpr size_t kLeastAnswer = 12;  // events: all of one burst

}  // namespace

PlayedRelay::PlayedRelay(World& world, size_t number, size_t limit)
    : latency(Milliseconds(5 + 20 * static_cast<int64_t>(number))),
      world_(world),
      number_(number),
      limit_(limit) {}

uint64_t PlayedRelay::connect(Answer answer, std::function<void()> lost) {
  if (!up) return 0;
  connections_[next_] = {std::move(answer), std::move(lost), {}, {}};
  return next_++;
}

void PlayedRelay::disconnect(uint64_t connection) { connections_.erase(connection); }

void PlayedRelay::drop_all() {
  auto gone = std::move(connections_);
  connections_.clear();
  for (auto& [id, connection] : gone) connection.lost();
}

void PlayedRelay::say(uint64_t connection, RelayMessage message) {
  world_.time.after(latency, [this, connection, message = std::move(message)] {
    const auto found = connections_.find(connection);
    if (found != connections_.end()) found->second.answer(message);
  });
}

void PlayedRelay::hear(uint64_t connection, const std::string& frame) {
  const auto found = connections_.find(connection);
  if (found == connections_.end()) return;
  const auto message = parse_client_message(frame);
  if (!message) FAIL("a client sent what is no frame: " << frame);
  if (const auto* publishing = std::get_if<PublishRequest>(&*message)) {
    publish(connection, publishing->event);
  } else if (const auto* req = std::get_if<ReqRequest>(&*message)) {
    request(connection, *req);
  } else if (const auto* close = std::get_if<CloseRequest>(&*message)) {
    found->second.subscriptions.erase(close->subscription);
  } else if (const auto* open = std::get_if<NegOpenRequest>(&*message)) {
    ++reconciliations;
    std::vector<NegentropyItem> items;
    for (const auto& [id, event] : by_id_) {
      if (!matches(open->filter, event)) continue;
      if (number_ > 0 || id.bytes[0] >= 64) items.push_back({event.created_at, id});
    }
    found->second.negotiations[open->subscription] = *NegentropySet::seal(std::move(items));
    reconcile(connection, open->subscription, open->message);
  } else if (const auto* next = std::get_if<NegMessage>(&*message)) {
    reconcile(connection, next->subscription, next->message);
  } else if (const auto* over = std::get_if<NegCloseRequest>(&*message)) {
    found->second.negotiations.erase(over->subscription);
  }
}

void PlayedRelay::reconcile(uint64_t connection, const SubscriptionId& id, ByteView message) {
  if (!world_.calm && world_.chance(0.05))
    return say(connection, NegError{id, "blocked: too busy for this", std::nullopt});
  const auto answer = negentropy_answer(connections_[connection].negotiations[id], message);
  if (!answer) FAIL("a client sent what is no negentropy: " << answer.error().message);
  say(connection, NegMessage{id, *answer});
}

void PlayedRelay::publish(uint64_t connection, const Event& event) {
  if (!world_.calm && world_.chance(0.02))
    return say(connection, OkMessage{event.id, false, "rate-limited: slow down"});
  if (!world_.calm && world_.chance(0.01))
    return say(connection, OkMessage{event.id, false, "error: try again"});
  if (has(event.id)) return say(connection, OkMessage{event.id, true, "duplicate: have it"});
  const auto address = address_of(event);
  if (address) {
    const auto known = by_address_.find(*address);
    if (known != by_address_.end()) {
      const Event& old = by_id_.at(known->second);
      if (!supersedes(event, old))
        return say(connection, OkMessage{event.id, false, "replaced: have newer event"});
      by_time_.erase({old.created_at.value, old.id});
      by_id_.erase(known->second);
    }
    by_address_[*address] = event.id;
  }
  by_id_[event.id] = event;
  by_time_.insert({event.created_at.value, event.id});
  forget_old();
  if (world_.calm || !world_.chance(0.01))
    say(connection, OkMessage{event.id, true, ""});  // or lost
  for (const auto& [id, other] : connections_) {
    for (const auto& [subscription, filters] : other.subscriptions) {
      if (matches_any(filters, event)) say(id, EventMessage{subscription, event});
    }
  }
}

void PlayedRelay::forget_old() {
  const int64_t oldest = world_.time.now().seconds().value - kKeepSeconds;
  for (auto it = by_time_.begin(); it != by_time_.end() && it->first < oldest;) {
    if (kind_class(by_id_.at(it->second).kind) == KindClass::regular) {
      by_id_.erase(it->second);
      it = by_time_.erase(it);
    } else {
      ++it;
    }
  }
}

void PlayedRelay::request(uint64_t connection, const ReqRequest& req) {
  if (!world_.calm && world_.chance(0.02))
    return say(connection, ClosedMessage{req.subscription, "error: shutting down idle"});
  if (!world_.calm && world_.chance(0.02)) return;  // not a word
  if (!world_.calm && world_.chance(0.02))
    return say(connection, NoticeMessage{"ERROR: could not do that"});
  std::set<EventId> out;
  const bool cut = !world_.calm && world_.chance(0.05);
  for (const Filter& filter : req.filters) {
    // Some answers stop early, as at a size.
    const size_t most = !world_.calm && world_.chance(0.1) ? kLeastAnswer : limit_;
    size_t room = std::min<size_t>(most, filter.limit.value_or(limit_));
    for (auto it = by_time_.rbegin(); it != by_time_.rend() && room > 0; ++it) {
      const Event& event = by_id_.at(it->second);
      if (!matches(filter, event)) continue;
      --room;
      if (out.insert(event.id).second) say(connection, EventMessage{req.subscription, event});
    }
  }
  connections_[connection].subscriptions[req.subscription] = req.filters;
  if (cut) {  // the connection breaks in the middle of the answer
    return world_.time.after(latency, [this, connection] {
      const auto found = connections_.find(connection);
      if (found == connections_.end()) return;
      const auto lost = std::move(found->second.lost);
      connections_.erase(found);
      lost();
    });
  }
  say(connection, EoseMessage{req.subscription});
}

}  // namespace ipnscast::test
