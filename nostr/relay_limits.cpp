#include "nostr/relay_limits.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace ipnscast::nostr {
namespace {

// Characters of UTF-8: what does not continue another.
size_t characters(std::string_view text) {
  return static_cast<size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<uint8_t>(c) & 0xc0) != 0x80; }));
}

std::string lower(std::string_view text) {
  std::string out(text.substr(0, 500));
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return static_cast<char>(std::tolower(static_cast<uint8_t>(c))); });
  return out;
}

// How strfry, khatru, nostr-rs-relay and others say that a connection has enough subscriptions.
bool means_too_many_subscriptions(const std::string& words) {
  static constexpr std::array<std::string_view, 5> kPhrases{
      "too many concurrent req", "too many subscriptions", "too many open subscriptions",
      "maximum concurrent subscription", "max subscriptions"};
  return std::any_of(kPhrases.begin(), kPhrases.end(), [&](std::string_view phrase) {
    return words.find(phrase) != std::string::npos;
  });
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
  const auto positive = [](const std::optional<uint64_t>& limit) {
    return limit && *limit > 0 ? limit : std::nullopt;
  };
  announced_subscriptions_ = positive(information.max_subscriptions);
  answer_limit_ = smaller(positive(information.max_limit), positive(information.default_limit));
}

bool RelayLimits::learn(std::string_view words, size_t open) {
  if (!means_too_many_subscriptions(lower(words))) return false;
  if (open == 0) return false;  // that would be none at all: no limit, whatever the words say
  const auto known = max_subscriptions();
  if (known && *known <= open) return false;
  learned_subscriptions_ = open;
  return true;
}

std::optional<size_t> RelayLimits::max_subscriptions() const {
  const auto most = smaller(announced_subscriptions_, learned_subscriptions_);
  return most ? std::optional(static_cast<size_t>(*most)) : std::nullopt;
}

bool RelayLimits::max_subscriptions_is_learned() const {
  return learned_subscriptions_ &&
         (!announced_subscriptions_ || *learned_subscriptions_ < *announced_subscriptions_);
}

void RelayLimits::allow_one_more_subscription() {
  if (max_subscriptions_is_learned()) ++*learned_subscriptions_;
}

std::optional<std::string> RelayLimits::objection(const Event& event, size_t frame_bytes,
                                                  UnixSeconds now) const {
  const RelayInformation& limit = information_;
  if (limit.max_message_length && frame_bytes > *limit.max_message_length) {
    return exceeds("message bytes", frame_bytes, *limit.max_message_length);
  }
  if (limit.max_event_tags && event.tags.size() > *limit.max_event_tags) {
    return exceeds("tags", event.tags.size(), *limit.max_event_tags);
  }
  if (limit.max_content_length && characters(event.content) > *limit.max_content_length) {
    return exceeds("characters of content", characters(event.content), *limit.max_content_length);
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
