#pragma once

#include <simdjson.h>

#include "ipnscast/nostr/event/check.h"
#include "ipnscast/nostr/event/filter.h"

// The strict reader of what relays and clients send. Private to this layer; the only header with
// simdjson in it.
namespace ipnscast::nostr {

// Parses one JSON text: the whole of it, valid UTF-8, depth bounded, every \u escape a character.
// The element lives until the next call on this thread.
Checked<simdjson::dom::element> parse_json(std::string_view text, size_t max_depth);

// NIP-01's event object. Nothing is verified.
Checked<Event> read_event(simdjson::dom::element element, const EventLimits& limits);

// See parse_filter().
Result<Filter> read_filter(simdjson::dom::element element, const FilterLimits& limits);

// The text of a string element, or nothing for another type. Lives as long as the element.
inline std::optional<std::string_view> text_of(simdjson::dom::element element) {
  std::string_view out;
  if (element.get_string().get(out) != simdjson::SUCCESS) return std::nullopt;
  return out;
}

// An integer that fits. Floats are refused, also 1.0.
inline std::optional<int64_t> integer_of(simdjson::dom::element element) {
  if (element.type() != simdjson::dom::element_type::INT64) return std::nullopt;
  return element.get_int64().value_unsafe();
}

inline bool is_number(simdjson::dom::element element) {
  using Type = simdjson::dom::element_type;
  const Type type = element.type();
  return type == Type::INT64 || type == Type::UINT64 || type == Type::DOUBLE;
}

}  // namespace ipnscast::nostr
