// What the relay's clients ask: REQ, COUNT and NEG-*. NIP-01, NIP-45, NIP-77.
#include <algorithm>
#include <unordered_set>

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/server/relay_core.h"
#include "ipnscast/nostr/server/stored_frame.h"

namespace ipnscast::nostr::server {
namespace {

constexpr const char* kNotRead = "error: could not read";

// What a connection may hold although others have filled the relay.
constexpr size_t kLittle = 256 * 1024;

bool newest_first(const StoredEvent& a, const StoredEvent& b) {
  if (a.created_at != b.created_at) return a.created_at > b.created_at;
  return a.id < b.id;
}

}  // namespace

std::optional<std::string> RelayCore::refuse(Connection& connection,
                                             const std::vector<Filter>& filters, Now now) {
  ++counters_.requests;
  std::optional<std::string> why;
  if (!connection.requests.take(now.steady)) why = "rate-limited: slow down";
  for (size_t i = 0; i < filters.size() && !why; ++i)
    why = refuse_filter(options_, connection.keys, filters[i]);
  if (!why) return std::nullopt;
  ++counters_.refused_requests;
  if (reason_prefix(*why) == "auth-required") remind(connection);
  return why;
}

std::optional<std::string> RelayCore::refuse_subscription(const Connection& connection,
                                                          const ReqRequest& request) const {
  if (!subscriptions_.contains(connection.id, request.subscription) &&
      subscriptions_.count(connection.id) >= options_.max_subscriptions)
    return "rate-limited: too many subscriptions";
  size_t items = subscriptions_.items(connection.id, request.subscription);
  size_t wanted = 0;
  for (const Filter& filter : request.filters) {
    items += count_items(filter);
    wanted += count_bytes(filter);
  }
  if (items > options_.max_subscription_items)
    return "rate-limited: the filters of one connection may hold " +
           std::to_string(options_.max_subscription_items) + " values: close some, or ask for less";
  const size_t bytes = wanted + subscriptions_.bytes(connection.id, request.subscription);
  if (bytes > options_.max_subscription_bytes)
    return "rate-limited: the filters of one connection may take " +
           std::to_string(options_.max_subscription_bytes) + " bytes: close some, or ask for less";
  const size_t replaced = subscriptions_.bytes_of(connection.id, request.subscription);
  const size_t total = wanted + subscriptions_.total_bytes() - replaced;
  const size_t most = options_.max_subscription_bytes_total;
  if (wanted > replaced && total > (bytes > kLittle ? most / 5 * 4 : most))
    return "error: the relay is full: the filters of all its clients take too much memory. Ask for "
           "less, or try again later";
  return std::nullopt;
}

void RelayCore::on(Connection& connection, const ReqRequest& message, Now now) {
  const SubscriptionId& subscription = message.subscription;
  const auto refuse_it = [&](std::string reason) {
    answer(connection.id, ClosedMessage{subscription, std::move(reason)});
  };
  auto refusal = refuse(connection, message.filters, now);
  if (!refusal) refusal = refuse_subscription(connection, message);
  if (refusal) return refuse_it(std::move(*refusal));
  EoseHint hint = EoseHint::none;
  const auto events =
      stored_events(message.filters, viewer_with(options_, connection.keys), now, hint);
  if (!events) {
    log_error("relay", events.error().message);
    return refuse_it(kNotRead);
  }
  const std::string name = quoted(subscription);
  size_t bytes = 0;
  for (const StoredEvent& event : *events) {
    bytes += event.json.size();
    if (bytes > options_.max_answer_bytes) {
      hint = EoseHint::more;
      break;
    }
    send(connection.id, stored_frame(name, event.json));
  }
  answer(connection.id, EoseMessage{subscription, hint}, ClosedMessage{subscription, kNotRead});
  subscribed_in_batch_.emplace_back(connection.id, subscription);
  subscriptions_.add(connection.id, subscription, message.filters);
}

// Between filters one is enough: an event that satisfies several goes out once. The hint is for
// what this viewer may see; one who sees more after AUTH asks again. NIP-67.
Result<std::vector<StoredEvent>> RelayCore::stored_events(const std::vector<Filter>& filters,
                                                          const Viewer& viewer, Now now,
                                                          EoseHint& hint) {
  hint = EoseHint::finish;
  std::vector<StoredEvent> events;
  std::unordered_set<EventId> seen;
  for (const Filter& filter : filters) {
    const uint32_t limit = std::min(filter.limit.value_or(options_.max_limit), options_.max_limit);
    if (limit == 0) {
      if (hint == EoseHint::finish) hint = EoseHint::none;  // nobody has looked
      continue;
    }
    auto found = store_.query(filter, limit + 1, now.seconds(), viewer);
    if (!found) return fail(found.error());
    if (found->size() > limit) {
      hint = EoseHint::more;
      found->pop_back();
    }
    for (StoredEvent& event : *found) {
      if (seen.insert(event.id).second) events.push_back(std::move(event));
    }
  }
  std::sort(events.begin(), events.end(), newest_first);
  return events;
}

void RelayCore::on(Connection& connection, const CountRequest& message, Now now) {
  const auto close = [&](std::string reason) {
    return ClosedMessage{message.subscription, std::move(reason)};
  };
  if (auto refusal = refuse(connection, message.filters, now))
    return answer(connection.id, close(std::move(*refusal)));
  const auto counted = store_.count(message.filters, options_.max_count, now.seconds(),
                                    viewer_with(options_, connection.keys));
  if (!counted) {
    log_error("relay", counted.error().message);
    return answer(connection.id, close(kNotRead));
  }
  answer(connection.id, CountMessage{message.subscription, counted->count, !counted->exact},
         close(kNotRead));
}

void RelayCore::on(Connection& connection, const NegOpenRequest& message, Now now) {
  const SubscriptionId& id = message.subscription;
  const auto refuse_it = [&](std::string reason, std::optional<uint64_t> max = std::nullopt) {
    answer(connection.id, NegError{id, std::move(reason), max});
  };
  if (auto refusal = refuse(connection, {message.filter}, now))
    return refuse_it(std::move(*refusal));
  const uint32_t max = options_.max_negentropy_items;
  const uint32_t limit = std::min(message.filter.limit.value_or(max + 1), max + 1);
  auto items =
      store_.items(message.filter, limit, now.seconds(), viewer_with(options_, connection.keys));
  if (!items) {
    log_error("relay", items.error().message);
    return refuse_it(kNotRead);
  }
  if (items->size() > max) return refuse_it("blocked: this query has too many results", max);
  auto set = NegentropySet::seal(std::move(*items), max);
  if (!set) return refuse_it("error: " + set.error().message);
  if (Status opened = reconciliations_.open(connection.id, id, std::move(*set), now.steady);
      !opened)
    return refuse_it("blocked: " + opened.error().message);
  reconciled_in_batch_.emplace_back(connection.id, id);
  answer_negentropy(connection, id, message.message, now);
}

void RelayCore::on(Connection& connection, const NegMessage& message, Now now) {
  answer_negentropy(connection, message.subscription, message.message, now);
}

void RelayCore::on(Connection& connection, const NegCloseRequest& message, Now /*now*/) {
  reconciliations_.close(connection.id, message.subscription);
}

void RelayCore::answer_negentropy(Connection& connection, const SubscriptionId& id,
                                  ByteView message, Now now) {
  const NegentropySet* set = reconciliations_.find(connection.id, id, now.steady);
  if (set == nullptr)
    return answer(connection.id,
                  NegError{id, "closed: no such reconciliation is open", std::nullopt});
  auto next = negentropy_answer(*set, message, negentropy_limits_);
  if (!next)
    return answer(connection.id, NegError{id, "invalid: " + next.error().message, std::nullopt});
  answer(connection.id, NegMessage{id, std::move(*next)}, NegError{id, kNotRead, std::nullopt});
}

}  // namespace ipnscast::nostr::server
