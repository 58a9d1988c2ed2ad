#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/letter_case.h"
#include "ipnscast/nostr/event/frame.h"
#include "ipnscast/nostr/event/json_document.h"
#include "ipnscast/nostr/event/json_text.h"
#include "ipnscast/nostr/event/message.h"

namespace ipnscast::nostr {
namespace {

using simdjson::dom::element;

constexpr size_t kMaxSubscription = 64;
constexpr size_t kMaxTypeKept = 32;

// The items of a frame, taken one after the other. Items that nobody takes are ignored.
class Items {
 public:
  explicit Items(simdjson::dom::array items) : at_(items.begin()), end_(items.end()) {}

  bool more() const { return at_ != end_; }
  std::optional<element> next() {
    if (!more()) return std::nullopt;
    const element out = *at_;
    ++at_;
    return out;
  }
  std::optional<std::string> text() {
    const auto item = next();
    const auto text = item ? text_of(*item) : std::nullopt;
    return text ? std::optional<std::string>(*text) : std::nullopt;
  }

 private:
  simdjson::dom::array::iterator at_;
  const simdjson::dom::array::iterator end_;
};

Result<SubscriptionId> read_subscription(Items& items) {
  auto text = items.text();
  if (!text || text->empty() || count_characters(*text) > kMaxSubscription) {
    return fail(Errc::parse, "frame: want a subscription id of 1 to 64 characters");
  }
  return std::move(*text);
}

Result<Event> read_event_item(Items& items, std::string_view frame, const MessageLimits& limits) {
  const auto item = items.next();
  if (!item) return fail(Errc::parse, "frame: want an event");
  if (event_text(frame).size() > limits.event.max_bytes)
    return fail(Errc::too_large, "event: too large");
  return read_event(*item, limits.event).map_error([](EventProblem problem) {
    return std::move(problem.error);
  });
}

Result<std::vector<Filter>> read_filters(Items& items, const MessageLimits& limits) {
  std::vector<Filter> out;
  while (const auto item = items.next()) {
    if (out.size() == limits.max_filters) return fail(Errc::too_large, "frame: too many filters");
    auto filter = read_filter(*item, limits.filter);
    if (!filter) return fail(std::move(filter.error()));
    out.push_back(std::move(*filter));
  }
  if (out.empty()) return fail(Errc::parse, "frame: want a filter");
  return out;
}

Result<RelayMessage> read_ok(Items& items) {
  OkMessage out;
  const auto id = items.next();
  const auto text = id ? text_of(*id) : std::nullopt;
  // Some relays write the id with capital letters.
  auto parsed = fixed_from_hex<EventId>(lower_case(text.value_or("")), "OK");
  if (!parsed) return fail(std::move(parsed.error()));
  out.id = *parsed;
  const auto accepted = items.next();
  if (!accepted || accepted->get_bool().get(out.accepted) != simdjson::SUCCESS) {
    return fail(Errc::parse, "OK: want true or false");
  }
  // Some write null where they have no reason; the verdict counts without one.
  out.reason = items.text().value_or("");
  return out;
}

// Hints that nobody knows are passed over. Of two that contradict each other, the one counts that
// loses nothing. NIP-67.
EoseHint read_hint(Items& items) {
  const auto item = items.next();
  simdjson::dom::array hints;
  if (!item || item->get_array().get(hints) != simdjson::SUCCESS) return EoseHint::none;
  EoseHint out = EoseHint::none;
  for (const element hint : hints) {
    const auto word = text_of(hint);
    if (word == "more") return EoseHint::more;
    if (word == "finish") out = EoseHint::finish;
  }
  return out;
}

Result<RelayMessage> read_eose(Items& items) {
  auto subscription = read_subscription(items);
  if (!subscription) return fail(std::move(subscription.error()));
  return EoseMessage{std::move(*subscription), read_hint(items)};
}

Result<RelayMessage> read_closed(Items& items) {
  auto subscription = read_subscription(items);
  if (!subscription) return fail(std::move(subscription.error()));
  return ClosedMessage{std::move(*subscription), items.text().value_or("")};
}

Result<RelayMessage> read_count(Items& items) {
  auto subscription = read_subscription(items);
  if (!subscription) return fail(std::move(subscription.error()));
  const auto item = items.next();
  uint64_t count = 0;
  if (!item || item->at_key("count").get_uint64().get(count) != simdjson::SUCCESS) {
    return fail(Errc::parse, "COUNT: want a count");
  }
  bool approximate = false;
  if (item->at_key("approximate").get_bool().get(approximate) != simdjson::SUCCESS)
    approximate = false;
  return CountMessage{std::move(*subscription), count, approximate};
}

Result<Bytes> read_negentropy(Items& items) {
  const auto item = items.next();
  const auto text = item ? text_of(*item) : std::nullopt;
  if (!text) return fail(Errc::parse, "frame: want a negentropy message in hex");
  return from_hex(*text);
}

Result<NegMessage> read_neg_message(Items& items) {
  auto subscription = read_subscription(items);
  if (!subscription) return fail(std::move(subscription.error()));
  auto message = read_negentropy(items);
  if (!message) return fail(std::move(message.error()));
  return NegMessage{std::move(*subscription), std::move(*message)};
}

Result<RelayMessage> read_neg_error(Items& items) {
  auto subscription = read_subscription(items);
  if (!subscription) return fail(std::move(subscription.error()));
  NegError out{std::move(*subscription), items.text().value_or(""), std::nullopt};
  uint64_t records = 0;
  const auto item = items.next();
  if (item && item->get_uint64().get(records) == simdjson::SUCCESS) out.max_records = records;
  return out;
}

Result<ClientMessage> read_neg_open(Items& items, const MessageLimits& limits) {
  auto subscription = read_subscription(items);
  if (!subscription) return fail(std::move(subscription.error()));
  const auto item = items.next();
  if (!item) return fail(Errc::parse, "frame: want a filter");
  auto filter = read_filter(*item, limits.filter);
  if (!filter) return fail(std::move(filter.error()));
  auto message = read_negentropy(items);
  if (!message) return fail(std::move(message.error()));
  return NegOpenRequest{std::move(*subscription), std::move(*filter), std::move(*message)};
}

Result<RelayMessage> read_relay_message(std::string_view type, Items& items, std::string_view frame,
                                        const MessageLimits& limits) {
  if (type == "EVENT") {
    auto subscription = read_subscription(items);
    if (!subscription) return fail(std::move(subscription.error()));
    auto event = read_event_item(items, frame, limits);
    if (!event) return fail(std::move(event.error()));
    return EventMessage{std::move(*subscription), std::move(*event)};
  }
  if (type == "OK") return read_ok(items);
  if (type == "EOSE") return read_eose(items);
  if (type == "CLOSED") return read_closed(items);
  if (type == "COUNT") return read_count(items);
  if (type == "NEG-MSG") return read_neg_message(items);
  if (type == "NEG-ERR") return read_neg_error(items);
  if (type == "NOTICE" || type == "AUTH") {
    auto text = items.text();
    if (!text) return fail(Errc::parse, "frame: want a text");
    if (type == "NOTICE") return NoticeMessage{std::move(*text)};
    return AuthChallenge{std::move(*text)};
  }
  return UnknownMessage{std::string(type.substr(0, kMaxTypeKept))};
}

Result<ClientMessage> read_client_message(std::string_view type, Items& items,
                                          std::string_view frame, const MessageLimits& limits) {
  if (type == "EVENT" || type == "AUTH") {
    auto event = read_event_item(items, frame, limits);
    if (!event) return fail(std::move(event.error()));
    if (type == "EVENT") return PublishRequest{std::move(*event)};
    return AuthRequest{std::move(*event)};
  }
  if (type == "REQ" || type == "COUNT") {
    auto subscription = read_subscription(items);
    if (!subscription) return fail(std::move(subscription.error()));
    auto filters = read_filters(items, limits);
    if (!filters) return fail(std::move(filters.error()));
    if (type == "REQ") return ReqRequest{std::move(*subscription), std::move(*filters)};
    return CountRequest{std::move(*subscription), std::move(*filters)};
  }
  if (type == "CLOSE") {
    return read_subscription(items).map(
        [](SubscriptionId id) { return ClientMessage(CloseRequest{std::move(id)}); });
  }
  if (type == "NEG-OPEN") return read_neg_open(items, limits);
  if (type == "NEG-MSG") return read_neg_message(items);
  if (type == "NEG-CLOSE") {
    return read_subscription(items).map(
        [](SubscriptionId id) { return ClientMessage(NegCloseRequest{std::move(id)}); });
  }
  return UnknownMessage{std::string(type.substr(0, kMaxTypeKept))};
}

// Parses the frame's array and hands its type and the rest to `read`.
template <typename Message, typename Read>
Result<Message> read_frame(std::string_view frame, const MessageLimits& limits, Read read) {
  if (frame.size() > limits.max_bytes) return fail(Errc::too_large, "frame: too large");
  auto root = parse_json(frame, limits.max_depth);
  if (!root) return fail(std::move(root.error().error));
  simdjson::dom::array array;
  if (root->get_array().get(array) != simdjson::SUCCESS)
    return fail(Errc::parse, "frame: want an array");
  Items items(array);
  const auto first = items.next();
  const auto type = first ? text_of(*first) : std::nullopt;
  if (!type) return fail(Errc::parse, "frame: want a string first");
  return read(*type, items, frame, limits);
}

}  // namespace

Result<RelayMessage> parse_relay_message(std::string_view frame, const MessageLimits& limits) {
  return read_frame<RelayMessage>(frame, limits, read_relay_message);
}

Result<ClientMessage> parse_client_message(std::string_view frame, const MessageLimits& limits) {
  return read_frame<ClientMessage>(frame, limits, read_client_message);
}

}  // namespace ipnscast::nostr
