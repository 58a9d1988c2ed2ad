#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/event/json_document.h"

namespace ipnscast::nostr {
namespace {

using simdjson::dom::element;

enum Member : unsigned {
  kId = 1,
  kPubkey = 2,
  kCreatedAt = 4,
  kKind = 8,
  kTags = 16,
  kContent = 32,
  kSig = 64
};
constexpr unsigned kAllMembers = 127;

struct MemberName {
  std::string_view name;
  Member member;
};
constexpr MemberName kMembers[] = {{"id", kId},     {"pubkey", kPubkey}, {"created_at", kCreatedAt},
                                   {"kind", kKind}, {"tags", kTags},     {"content", kContent},
                                   {"sig", kSig}};

unsigned member_of(std::string_view key) {
  for (const MemberName& known : kMembers) {
    if (key == known.name) return known.member;
  }
  return 0;
}

struct Fault {
  EventFault fault;
  Errc code;
  std::string_view message;
};
using Read = std::optional<Fault>;  // nothing: all is well

Fault shape(std::string_view message) { return {EventFault::shape, Errc::parse, message}; }

template <typename Fixed>
Read read_hex_member(element value, Fixed& out, std::string_view message) {
  const auto text = text_of(value);
  if (!text || !read_lower_hex(*text, out.bytes)) return shape(message);
  return std::nullopt;
}

Read read_tag(element value, size_t max_items, Tag& out) {
  simdjson::dom::array items;
  if (value.get_array().get(items) != simdjson::SUCCESS)
    return shape("tags: want arrays of strings");
  const size_t count = items.size();
  if (count > max_items)
    return Fault{EventFault::shape, Errc::too_large, "tags: too many items in one"};
  out.reserve(count);
  for (const element item : items) {
    const auto text = text_of(item);
    if (!text) return shape("tags: want arrays of strings");
    out.emplace_back(*text);
  }
  return std::nullopt;
}

Read read_tags(element value, const EventLimits& limits, std::vector<Tag>& out) {
  simdjson::dom::array tags;
  if (value.get_array().get(tags) != simdjson::SUCCESS) return shape("tags: want an array");
  const size_t count = tags.size();
  if (count > limits.max_tags) return Fault{EventFault::shape, Errc::too_large, "tags: too many"};
  out.reserve(count);
  for (const element tag : tags) {
    if (auto fault = read_tag(tag, limits.max_tag_items, out.emplace_back())) return fault;
  }
  return std::nullopt;
}

Read read_time(element value, UnixSeconds& out) {
  if (!is_number(value)) return shape("created_at: want a number");
  const auto seconds = integer_of(value);
  if (!seconds || *seconds < 0) {
    return Fault{EventFault::time, Errc::parse, "created_at: want whole seconds since 1970"};
  }
  out.value = *seconds;
  return std::nullopt;
}

Read read_kind(element value, int& out) {
  if (!is_number(value)) return shape("kind: want a number");
  const auto kind = integer_of(value);
  if (!kind || *kind < 0 || *kind > 65535) {
    return Fault{EventFault::kind, Errc::parse, "kind: want an integer from 0 to 65535"};
  }
  out = static_cast<int>(*kind);
  return std::nullopt;
}

Read read_member(unsigned member, element value, const EventLimits& limits, Event& out) {
  switch (member) {
    case kId:
      return read_hex_member(value, out.id, "id: want 64 lower-case hex digits");
    case kPubkey:
      return read_hex_member(value, out.pubkey, "pubkey: want 64 lower-case hex digits");
    case kSig:
      return read_hex_member(value, out.sig, "sig: want 128 lower-case hex digits");
    case kCreatedAt:
      return read_time(value, out.created_at);
    case kKind:
      return read_kind(value, out.kind);
    case kTags:
      return read_tags(value, limits, out.tags);
    default:
      break;
  }
  const auto text = text_of(value);
  if (!text) return shape("content: want a string");
  out.content = *text;
  return std::nullopt;
}

bool has_repeated(std::vector<std::string_view>& names) {
  std::sort(names.begin(), names.end());
  return std::adjacent_find(names.begin(), names.end()) != names.end();
}

// Reads the members in `wanted` into `out`; those in `required` must be there, others are ignored.
Read read_members(simdjson::dom::object object, unsigned wanted, unsigned required,
                  const EventLimits& limits, Event& out) {
  unsigned seen = 0;
  std::vector<std::string_view> unknown;
  Read shape_fault;
  Read range_fault;  // a member of another type is worse than a number out of range
  for (const auto [key, value] : object) {
    const unsigned member = member_of(key) & wanted;
    if (member == 0) {
      unknown.push_back(key);
      continue;
    }
    if ((seen & member) != 0) return shape("a member stands there twice");
    seen |= member;
    const Read fault = read_member(member, value, limits, out);
    if (!fault) continue;
    Read& first = fault->fault == EventFault::shape ? shape_fault : range_fault;
    if (!first) first = fault;
  }
  if (has_repeated(unknown)) return shape("a member stands there twice");
  if ((seen & required) != required) return shape("a member is missing");
  return shape_fault ? shape_fault : range_fault;
}

// What a refused event calls itself.
std::optional<EventId> claimed_id(simdjson::dom::object object) {
  std::optional<EventId> out;
  for (const auto [key, value] : object) {
    if (key != "id") continue;
    EventId id;
    if (out || read_hex_member(value, id, "")) return std::nullopt;
    out = id;
  }
  return out;
}

}  // namespace

Checked<Event> read_event(element value, const EventLimits& limits) {
  simdjson::dom::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS) {
    return tl::unexpected<EventProblem>(
        {EventFault::shape, {Errc::parse, "event: want an object"}, std::nullopt});
  }
  Event out;
  if (const auto fault = read_members(object, kAllMembers, kAllMembers, limits, out)) {
    return tl::unexpected<EventProblem>(
        {fault->fault, {fault->code, "event: " + std::string(fault->message)}, claimed_id(object)});
  }
  return out;
}

Result<Event> parse_event(std::string_view json, const EventLimits& limits) {
  if (json.size() > limits.max_bytes) return fail(Errc::too_large, "event: too large");
  return parse_json(json, limits.max_depth)
      .and_then([&](element root) { return read_event(root, limits); })
      .map_error([](EventProblem problem) { return std::move(problem.error); });
}

Result<UnsignedEvent> parse_unsigned_event(std::string_view json, UnixSeconds now,
                                           const EventLimits& limits) {
  if (json.size() > limits.max_bytes) return fail(Errc::too_large, "event: too large");
  auto root = parse_json(json, limits.max_depth);
  if (!root) return fail(std::move(root.error().error));
  simdjson::dom::object object;
  if (root->get_object().get(object) != simdjson::SUCCESS)
    return fail(Errc::parse, "event: want an object");
  Event event;
  event.created_at = now;
  if (const auto fault =
          read_members(object, kCreatedAt | kKind | kTags | kContent, kKind, limits, event)) {
    return fail(fault->code, "event: " + std::string(fault->message));
  }
  return UnsignedEvent{event.created_at, event.kind, std::move(event.tags),
                       std::move(event.content)};
}

}  // namespace ipnscast::nostr
