#include "nostr/server/relay_core.h"

#include <algorithm>
#include <unordered_set>

#include "nostr/base/log.h"
#include "nostr/server/frame_refusal.h"

namespace ipnscast::nostr::server {
namespace {

constexpr const char* kNotStored = "error: could not store";

MessageLimits limits_of(const RelayOptions& options) {
  MessageLimits out;
  out.max_bytes = options.max_message_bytes;
  out.max_filters = options.max_filters;
  out.event.max_bytes = options.max_event_bytes;
  out.event.max_tags = options.max_event_tags;
  return out;
}

// ["EVENT",<subscription>, up to the event, so that one event's text serves every subscription.
std::string event_frame(const std::string& quoted_subscription, std::string_view event_json) {
  std::string out = "[\"EVENT\",";
  out.reserve(out.size() + quoted_subscription.size() + event_json.size() + 2);
  out += quoted_subscription;
  out += ',';
  out += event_json;
  out += ']';
  return out;
}

// The subscription id as a JSON string: ["EOSE","<id>"] without what is around it.
std::string quoted(const SubscriptionId& subscription) {
  constexpr std::string_view kBefore = "[\"EOSE\",";
  const std::string frame = to_frame(RelayMessage(EoseMessage{subscription}));
  return frame.substr(kBefore.size(), frame.size() - kBefore.size() - 1);
}

std::shared_ptr<const std::string> shared(std::string frame) {
  return std::make_shared<const std::string>(std::move(frame));
}

bool newest_first(const StoredEvent& a, const StoredEvent& b) {
  if (a.created_at != b.created_at) return a.created_at > b.created_at;
  return a.id < b.id;
}

}  // namespace

RelayCore::RelayCore(RelayOptions options, RelayStore& store)
    : options_(std::move(options)), limits_(limits_of(options_)), store_(store) {}

void RelayCore::opened(ServerConnectionId connection, Now now) {
  connections_[connection] = {{}, options_.event_burst, now.steady};
}

void RelayCore::closed(ServerConnectionId connection) { connections_.erase(connection); }

void RelayCore::frame(ServerConnectionId id, std::string_view text, Now now) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  Connection& connection = found->second;
  auto message = parse_client_message(text, limits_);
  if (!message) {
    ++counters_.garbage;
    return answer(id, refusal_of(text, message.error()));
  }
  if (auto* publish_request = std::get_if<PublishRequest>(&*message)) {
    publish(id, connection, publish_request->event, now);
  } else if (auto* req = std::get_if<ReqRequest>(&*message)) {
    request(id, connection, std::move(*req), now);
  } else if (auto* close = std::get_if<CloseRequest>(&*message)) {
    connection.subscriptions.erase(close->subscription);
  } else if (auto* auth = std::get_if<AuthRequest>(&*message)) {
    answer_event(id, auth->event.id, false, "invalid: this relay asks for no authentication");
  } else if (auto* count = std::get_if<CountRequest>(&*message)) {
    answer(id, ClosedMessage{count->subscription, "unsupported: COUNT"});
  } else if (auto* unknown = std::get_if<UnknownMessage>(&*message)) {
    ++counters_.garbage;
    answer(id, NoticeMessage{"invalid: unknown message " + unknown->type.substr(0, 32)});
  }
}

std::vector<RelayAction> RelayCore::finish() {
  if (in_transaction_ && !lost_) {
    if (Status committed = store_.commit(); !committed) {
      log_error("relay", committed.error().message);
      lost_ = true;
    }
  }
  if (lost_) {
    store_.rollback();
    for (const auto& [id, subscription] : opened_in_batch_) {
      const auto it = connections_.find(id);
      if (it != connections_.end()) it->second.subscriptions.erase(subscription);
    }
    actions_ = std::move(actions_if_lost_);
  }
  in_transaction_ = false;
  lost_ = false;
  pending_bytes_ = 0;
  actions_if_lost_.clear();
  opened_in_batch_.clear();
  return std::exchange(actions_, {});
}

void RelayCore::publish(ServerConnectionId id, Connection& connection, const Event& event,
                        Now now) {
  const auto refuse = [&](std::string reason) {
    ++counters_.refused;
    answer_event(id, event.id, false, std::move(reason));
  };
  if (!within_rate(connection, now)) return refuse("rate-limited: slow down");
  if (event.created_at.value > now.seconds().value + options_.created_at_ahead.count()) {
    return refuse("invalid: created_at is too far in the future");
  }
  // A recomputed id that is stored needs no second look at the signature; only a genuine one gets
  // here.
  if (compute_id(event) != event.id) return refuse("invalid: id does not match the event");
  if (store_.contains(event.id).value_or(false)) {
    ++counters_.duplicates;
    return answer_event(id, event.id, true, "duplicate: already have this event");
  }
  if (Status verified = verify(event); !verified)
    return refuse("invalid: " + verified.error().message);
  if (is_expired(event, now.seconds())) return refuse("invalid: the event has expired");
  if (accept(id, event)) fan_out(event);
}

bool RelayCore::accept(ServerConnectionId id, const Event& event) {
  if (kind_class(event.kind) == KindClass::ephemeral) {
    ++counters_.ephemeral;
    answer_event(id, event.id, true, "");
    return true;
  }
  const auto stored = store(event);
  if (!stored) {
    ++counters_.refused;
    answer_event(id, event.id, false, kNotStored);
    return false;
  }
  switch (*stored) {
    case Stored::added:
      ++counters_.stored;
      answer_event(id, event.id, true, "");
      return true;
    case Stored::duplicate:
      ++counters_.duplicates;
      answer_event(id, event.id, true, "duplicate: already have this event");
      return false;
    case Stored::superseded:
      ++counters_.superseded;
      answer_event(id, event.id, false, "replaced: have newer event");
      return false;
    case Stored::deleted:
      ++counters_.refused;
      answer_event(id, event.id, false, "blocked: its author deleted this event");
      return false;
  }
  return false;
}

void RelayCore::request(ServerConnectionId id, Connection& connection, ReqRequest request,
                        Now now) {
  ++counters_.requests;
  const SubscriptionId& subscription = request.subscription;
  const auto refuse = [&](std::string reason) {
    connection.subscriptions.erase(subscription);
    answer(id, ClosedMessage{subscription, std::move(reason)});
  };
  const bool known = connection.subscriptions.count(subscription) != 0;
  if (!known && connection.subscriptions.size() >= options_.max_subscriptions) {
    return refuse("rate-limited: too many subscriptions");
  }
  const auto events = stored_events(request.filters, now);
  if (!events) {
    log_error("relay", events.error().message);
    return refuse("error: could not read");
  }
  const std::string name = quoted(subscription);
  size_t bytes = 0;
  for (const StoredEvent& event : *events) {
    bytes += event.json.size();
    if (bytes > options_.max_answer_bytes) break;
    send(id, shared(event_frame(name, event.json)));
  }
  send(id, shared(to_frame(RelayMessage(EoseMessage{subscription}))));
  actions_if_lost_.push_back(
      {id, shared(to_frame(RelayMessage(ClosedMessage{subscription, "error: could not read"})))});
  opened_in_batch_.emplace_back(id, subscription);
  connection.subscriptions[subscription] = std::move(request.filters);
}

// Between filters one is enough: an event that satisfies several goes out once.
Result<std::vector<StoredEvent>> RelayCore::stored_events(const std::vector<Filter>& filters,
                                                          Now now) {
  std::vector<StoredEvent> events;
  std::unordered_set<EventId> seen;
  for (const Filter& filter : filters) {
    const uint32_t limit = std::min(filter.limit.value_or(options_.max_limit), options_.max_limit);
    if (limit == 0) continue;
    auto found = store_.query(filter, limit, now.seconds());
    if (!found) return fail(found.error());
    for (StoredEvent& event : *found) {
      if (seen.insert(event.id).second) events.push_back(std::move(event));
    }
  }
  std::sort(events.begin(), events.end(), newest_first);
  return events;
}

bool RelayCore::within_rate(Connection& connection, Now now) {
  if (options_.events_per_second <= 0) return true;
  const std::chrono::duration<double> passed = now.steady - connection.refilled;
  connection.refilled = now.steady;
  connection.event_budget = std::min(
      options_.event_burst, connection.event_budget + passed.count() * options_.events_per_second);
  if (connection.event_budget < 1) return false;
  connection.event_budget -= 1;
  return true;
}

// After a failure nothing of the batch stays: the predecessor of an event may be gone while the
// event is not there.
Result<Stored> RelayCore::store(const Event& event) {
  if (lost_) return fail(Errc::io, "the batch is lost");
  if (!in_transaction_) {
    if (Status begun = store_.begin(); !begun) {
      log_error("relay", begun.error().message);
      return fail(begun.error());
    }
    in_transaction_ = true;
  }
  auto stored = store_.add(event);
  if (!stored) {
    log_error("relay", stored.error().message);
    lost_ = true;
  }
  return stored;
}

void RelayCore::fan_out(const Event& event) {
  const std::string json = to_json(event);
  // Clients of one kind use the same subscription ids: their frames are the same.
  std::map<std::string_view, std::shared_ptr<const std::string>> frames;
  for (const auto& [id, connection] : connections_) {
    for (const auto& [subscription, filters] : connection.subscriptions) {
      if (!matches_any(filters, event)) continue;
      auto& frame = frames[subscription];
      if (!frame) frame = shared(event_frame(quoted(subscription), json));
      send(id, frame);
      ++counters_.delivered;
    }
  }
}

void RelayCore::answer(ServerConnectionId id, const RelayMessage& message) {
  auto frame = shared(to_frame(message));
  actions_if_lost_.push_back({id, frame});
  send(id, std::move(frame));
}

void RelayCore::answer_event(ServerConnectionId id, const EventId& event, bool accepted,
                             std::string reason) {
  const OkMessage ok{event, accepted, std::move(reason)};
  if (!accepted) return answer(id, ok);
  actions_if_lost_.push_back(
      {id, shared(to_frame(RelayMessage(OkMessage{event, false, kNotStored})))});
  send(id, shared(to_frame(RelayMessage(ok))));
}

void RelayCore::send(ServerConnectionId id, std::shared_ptr<const std::string> frame) {
  pending_bytes_ += frame->size();
  actions_.push_back({id, std::move(frame)});
}

}  // namespace ipnscast::nostr::server
