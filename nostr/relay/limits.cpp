#include "ipnscast/nostr/relay/limits.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cctype>
#include <span>

#include "ipnscast/nostr/base/letter_case.h"

namespace ipnscast::nostr {
namespace {

constexpr int kExpirationNip = 40;

// Characters of UTF-8: what does not continue another.
size_t characters(std::string_view text) {
  return static_cast<size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<uint8_t>(c) & 0xc0) != 0x80; }));
}

std::string lowered_start(std::string_view text) { return lower_case(text.substr(0, 500)); }

using Phrases = std::span<const std::string_view>;

// What strfry, khatru, nostr-rs-relay, rnostr, this project's relay and others say when...
// ... a connection has enough subscriptions.
constexpr auto kTooManySubscriptions = std::to_array<std::string_view>(
    {"too many concurrent req", "too many subscriptions", "too many open subscriptions",
     "maximum concurrent subscription", "max subscriptions", "subscriptions exceeds limit",
     "in the filters of all subscriptions"});
// ... a frame is too long.
constexpr auto kTooLong =
    std::to_array<std::string_view>({"message too large", "message too big", "message too long",
                                     "payload reached size limit", "payload too large"});
// ... one REQ has too many filters.
constexpr auto kTooManyFilters =
    std::to_array<std::string_view>({"too many filters", "arr too big", "maximum filters"});
// ... one filter has too many values.
constexpr auto kTooManyValues = std::to_array<std::string_view>(
    {"filter items too large", "too many things to filter for", "too many values",
     "too many authors", "too many ids", "too many elements"});

bool says(const std::string& words, Phrases phrases) {
  return std::any_of(phrases.begin(), phrases.end(), [&](std::string_view phrase) {
    return words.find(phrase) != std::string::npos;
  });
}

// Frames shorter than this are taken by every relay, whatever one claims.
constexpr size_t kLeastFrame = 2 * 1024;
// Of a frame: ["REQ","<subscription id>",] around the filters.
constexpr size_t kAroundFilters = 128;

// Values in a list, likewise.
constexpr size_t kLeastList = 10;

// To half of what was refused.
void lower_to_half(size_t& limit, size_t needed, size_t least) {
  limit = std::min(limit, std::max(least, needed / 2));
}

// NIP-13.
size_t leading_zero_bits(const EventId& id) {
  size_t out = 0;
  for (const uint8_t byte : id.bytes) {
    out += static_cast<size_t>(std::countl_zero(byte));
    if (byte != 0) break;
  }
  return out;
}

std::string exceeds(const char* what, uint64_t have, uint64_t limit) {
  return std::string("invalid: ") + what + " " + std::to_string(have) + ", this relay takes " +
         std::to_string(limit);
}

template <typename T>
std::optional<T> smaller(const std::optional<T>& a, const std::optional<T>& b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

}  // namespace

void RelayLimits::announced(const RelayInformation& information) {
  information_ = information;
  drop_zero_limits(information_);
  announced_subscriptions_.reset();
  if (const auto most = information_.max_subscriptions)
    announced_subscriptions_ = static_cast<size_t>(*most);
  answer_limit_ = smaller(information_.max_limit, information_.default_limit);
}

RequestLimits RelayLimits::requests() const {
  RequestLimits out = learned_.requests;
  if (const auto most = information_.max_message_length) {
    const size_t frame = static_cast<size_t>(std::max<uint64_t>(*most, kLeastFrame));
    out.max_bytes = std::min(out.max_bytes, frame - kAroundFilters);
  }
  return out;
}

void RelayLimits::restore(const LearnedLimits& learned) {
  learned_.subscriptions = smaller(learned_.subscriptions, learned.subscriptions);
  RequestLimits& known = learned_.requests;
  known.max_list = std::min(known.max_list, std::max(kLeastList, learned.requests.max_list));
  known.max_filters = std::clamp<size_t>(learned.requests.max_filters, 1, known.max_filters);
  known.max_bytes =
      std::min(known.max_bytes, std::max(kLeastFrame - kAroundFilters, learned.requests.max_bytes));
}

bool RelayLimits::learn(std::string_view words, const std::function<size_t()>& standing) {
  if (!says(lowered_start(words), kTooManySubscriptions)) return false;
  const size_t open = standing();
  if (open == 0) return false;  // that would be none at all: no limit, whatever the words say
  const auto known = max_subscriptions();
  if (known && *known <= open) return false;
  learned_.subscriptions = open;
  return true;
}

void RelayLimits::learn_request(std::string_view text,
                                const std::function<RequestLimits()>& needs) {
  const std::string words = lowered_start(text);
  if (says(words, kTooManySubscriptions)) return;
  if (says(words, kTooLong)) {
    lower_to_half(learned_.requests.max_bytes, needs().max_bytes, kLeastFrame - kAroundFilters);
  } else if (says(words, kTooManyFilters)) {
    lower_to_half(learned_.requests.max_filters, needs().max_filters, 1);
  } else if (says(words, kTooManyValues)) {
    lower_to_half(learned_.requests.max_list, needs().max_list, kLeastList);
  }
}

void RelayLimits::refused_message(size_t frame_bytes) {
  if (frame_bytes >= kLeastFrame)
    refused_bytes_ = std::min(refused_bytes_.value_or(frame_bytes), frame_bytes);
}

std::optional<size_t> RelayLimits::max_subscriptions() const {
  return smaller(announced_subscriptions_, learned_.subscriptions);
}

bool RelayLimits::max_subscriptions_is_learned() const {
  return learned_.subscriptions && max_subscriptions() == learned_.subscriptions &&
         learned_.subscriptions != announced_subscriptions_;
}

void RelayLimits::allow_one_more_subscription() {
  if (max_subscriptions_is_learned()) ++*learned_.subscriptions;
}

std::optional<std::string> RelayLimits::objection(const Event& event, size_t frame_bytes,
                                                  UnixSeconds now) const {
  const RelayInformation& limit = information_;
  if (limit.max_message_length && frame_bytes > *limit.max_message_length) {
    return exceeds("message bytes", frame_bytes, *limit.max_message_length);
  }
  if (refused_bytes_ && frame_bytes >= *refused_bytes_) {
    return "invalid: message bytes " + std::to_string(frame_bytes) + ", this relay refused " +
           std::to_string(*refused_bytes_);
  }
  if (limit.max_event_tags && event.tags.size() > *limit.max_event_tags) {
    return exceeds("tags", event.tags.size(), *limit.max_event_tags);
  }
  if (limit.max_content_length && characters(event.content) > *limit.max_content_length) {
    return exceeds("characters of content", characters(event.content), *limit.max_content_length);
  }
  if (const auto wanted = limit.min_pow_difficulty;
      wanted && leading_zero_bits(event.id) < *wanted) {
    return "pow: this relay wants " + std::to_string(*wanted) + " bits of work";
  }
  const auto& nips = limit.supported_nips;
  if (event.tag("expiration") && !nips.empty() &&
      std::find(nips.begin(), nips.end(), kExpirationNip) == nips.end()) {
    return "unsupported: this relay does not know of expiration (NIP-40)";
  }
  // Some relays give an absolute time here; the text defines neither, so only spans are believed.
  constexpr uint64_t kLongestSpan = 1'000'000'000;
  const int64_t ahead = event.created_at.value - now.value;
  if (const auto most = limit.created_at_upper_limit;
      most && *most < kLongestSpan && ahead > static_cast<int64_t>(*most)) {
    return exceeds("seconds ahead of now", static_cast<uint64_t>(ahead), *most);
  }
  if (const auto most = limit.created_at_lower_limit;
      most && *most < kLongestSpan && -ahead > static_cast<int64_t>(*most)) {
    return exceeds("seconds before now", static_cast<uint64_t>(-ahead), *most);
  }
  return std::nullopt;
}

}  // namespace ipnscast::nostr
