#include "ipnscast/nostr/server/relay_core.h"

#include <algorithm>
#include <map>
#include <utility>

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/nip/nip42.h"
#include "ipnscast/nostr/server/frame_refusal.h"
#include "ipnscast/nostr/server/stored_frame.h"

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

NegentropyLimits negentropy_limits_of(const RelayOptions& options) {
  NegentropyLimits out;
  // In hex within a frame that clients with a limit of 128 KiB take.
  out.max_message_bytes = 60'000;
  out.max_received_bytes = options.max_message_bytes / 2;
  return out;
}

std::shared_ptr<const std::string> frame_of(const RelayMessage& message) {
  return std::make_shared<const std::string>(to_frame(message));
}

}  // namespace

RelayCore::RelayCore(RelayOptions options, RelayStore& store)
    : options_(std::move(options)),
      limits_(limits_of(options_)),
      negentropy_limits_(negentropy_limits_of(options_)),
      store_(store),
      reconciliations_(options_.max_negentropy_sessions, options_.max_negentropy_total) {}

void RelayCore::opened(ServerConnectionId id) {
  const Allowance events(options_.event_burst, options_.events_per_second);
  const Allowance requests(options_.request_burst, options_.requests_per_second);
  const auto opened =
      connections_.insert_or_assign(id, Connection{id, events, requests, {}, false, {}}).first;
  if (challenges_at_once(options_)) challenge(opened->second);
}

void RelayCore::closed(ServerConnectionId connection) {
  subscriptions_.remove_all(connection);
  reconciliations_.close_all(connection);
  connections_.erase(connection);
}

void RelayCore::frame(ServerConnectionId id, std::string_view text, Now now) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  const auto message = parse_client_message(text, limits_);
  if (!message) {
    ++counters_.garbage;
    return answer(id, refusal_of(text, message.error()));
  }
  std::visit([&](const auto& m) { on(found->second, m, now); }, *message);
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
    for (const auto& [id, subscription] : subscribed_in_batch_)
      subscriptions_.remove(id, subscription);
    for (const auto& [id, session] : reconciled_in_batch_) reconciliations_.close(id, session);
    actions_ = std::move(actions_if_lost_);
  }
  in_transaction_ = false;
  lost_ = false;
  pending_bytes_ = 0;
  actions_if_lost_.clear();
  subscribed_in_batch_.clear();
  reconciled_in_batch_.clear();
  return std::exchange(actions_, {});
}

void RelayCore::on(Connection& connection, const PublishRequest& message, Now now) {
  const Event& event = message.event;
  auto refusal = refuse(connection, event, now);
  if (!refusal && is_expired(event, now.seconds())) refusal = "invalid: the event has expired";
  // A recomputed id that is stored needs no second look at the signature; only a genuine one gets
  // there.
  if (!refusal && store_.contains(event.id).value_or(false)) {
    ++counters_.duplicates;
    return answer(connection.id, OkMessage{event.id, true, "duplicate: already have this event"},
                  OkMessage{event.id, false, kNotStored});
  }
  if (!refusal) {
    if (Status verified = verify(event); !verified)
      refusal = "invalid: " + verified.error().message;
  }
  if (refusal) {
    ++counters_.refused;
    if (reason_prefix(*refusal) == "auth-required") remind(connection);
    return answer(connection.id, OkMessage{event.id, false, std::move(*refusal)});
  }
  if (accept(connection.id, event)) fan_out(event);
}

// All that can be said without the signature.
std::optional<std::string> RelayCore::refuse(Connection& connection, const Event& event, Now now) {
  if (!connection.events.take(now.steady)) return "rate-limited: slow down";
  if (event.created_at.value > now.seconds().value + options_.created_at_ahead.count())
    return "invalid: created_at is too far in the future";
  if (compute_id(event) != event.id) return "invalid: id does not match the event";
  return refuse_event(options_, connection.keys, event);
}

bool RelayCore::accept(ServerConnectionId id, const Event& event) {
  const auto accepted = [&](std::string reason) {
    answer(id, OkMessage{event.id, true, std::move(reason)},
           OkMessage{event.id, false, kNotStored});
  };
  const auto refused = [&](std::string reason) {
    ++counters_.refused;
    answer(id, OkMessage{event.id, false, std::move(reason)});
  };
  if (kind_class(event.kind) == KindClass::ephemeral) {
    ++counters_.ephemeral;
    accepted("");
    return true;
  }
  const auto stored = store(event);
  if (!stored) {
    refused(kNotStored);
    return false;
  }
  switch (*stored) {
    case Stored::added:
      ++counters_.stored;
      accepted("");
      return true;
    case Stored::duplicate:
      ++counters_.duplicates;
      accepted("duplicate: already have this event");
      return false;
    case Stored::superseded:
      ++counters_.superseded;
      answer(id, OkMessage{event.id, false, "replaced: have newer event"});
      return false;
    case Stored::deleted:
      refused("blocked: its author deleted this event");
      return false;
    case Stored::full:
      refused("error: the relay's store is full");
      return false;
  }
  return false;
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
  const auto wanted = subscriptions_.matching(event);
  if (wanted.empty()) return;
  const std::string json = to_json(event);
  // Clients of one kind use the same subscription ids: their frames are the same.
  std::map<std::string_view, std::shared_ptr<const std::string>> frames;
  for (const SubscriptionIndex::Subscription* subscription : wanted) {
    if (!may_see(options_, connections_.at(subscription->connection).keys, event)) continue;
    auto& frame = frames[subscription->id];
    if (!frame) frame = stored_frame(quoted(subscription->id), json);
    send(subscription->connection, frame);
    ++counters_.delivered;
  }
}

void RelayCore::challenge(Connection& connection) {
  if (connection.challenge.empty()) connection.challenge = make_auth_challenge();
  answer(connection.id, AuthChallenge{connection.challenge});
}

void RelayCore::remind(Connection& connection) {
  if (std::exchange(connection.answered, true)) return;
  challenge(connection);
}

void RelayCore::on(Connection& connection, const AuthRequest& message, Now now) {
  const Event& event = message.event;
  auto refusal = connection.events.take(now.steady) ? refuse_proof(connection, event, now)
                                                    : "rate-limited: slow down";
  if (connection.challenge.empty()) challenge(connection);
  connection.answered = true;
  if (refusal) {
    ++counters_.refused;
    return answer(connection.id, OkMessage{event.id, false, std::move(*refusal)});
  }
  ++counters_.proved;
  connection.keys.insert(event.pubkey);
  answer(connection.id, OkMessage{event.id, true, ""});
}

std::optional<std::string> RelayCore::refuse_proof(const Connection& connection, const Event& event,
                                                   Now now) const {
  const auto relay = RelayUrl::parse(event.tag("relay").value_or(""));
  if (!relay || (options_.is_own_url && !options_.is_own_url(*relay)))
    return "invalid: auth: meant for another relay";
  if (Status fits =
          check_auth_event(event, std::span(&*relay, 1), connection.challenge, now.seconds());
      !fits)
    return "invalid: " + fits.error().message;
  if (Status verified = verify(event); !verified) return "invalid: " + verified.error().message;
  if (connection.keys.count(event.pubkey) == 0 && connection.keys.size() >= options_.max_keys)
    return "rate-limited: too many keys for one connection";
  return std::nullopt;
}

void RelayCore::on(Connection& connection, const CloseRequest& message, Now /*now*/) {
  subscriptions_.remove(connection.id, message.subscription);
}

void RelayCore::on(Connection& connection, const UnknownMessage& message, Now /*now*/) {
  ++counters_.garbage;
  answer(connection.id, NoticeMessage{"invalid: unknown message " + message.type});
}

// What is said to have ended has ended, also when its id was all that could be read.
void RelayCore::answer(ServerConnectionId id, const RelayMessage& message) {
  if (const auto* over = std::get_if<ClosedMessage>(&message))
    subscriptions_.remove(id, over->subscription);
  if (const auto* over = std::get_if<NegError>(&message))
    reconciliations_.close(id, over->subscription);
  auto frame = frame_of(message);
  actions_if_lost_.push_back({id, frame});
  send(id, std::move(frame));
}

void RelayCore::answer(ServerConnectionId id, const RelayMessage& message,
                       const RelayMessage& if_lost) {
  actions_if_lost_.push_back({id, frame_of(if_lost)});
  send(id, frame_of(message));
}

void RelayCore::send(ServerConnectionId id, std::shared_ptr<const std::string> frame) {
  pending_bytes_ += frame->size();
  actions_.push_back({id, std::move(frame)});
}

}  // namespace ipnscast::nostr::server
