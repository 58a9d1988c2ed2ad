#include "ipnscast/sync/hint/private_hint.h"

#include <algorithm>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/sha256.h"

namespace ipnscast::sync {
namespace {

constexpr size_t kHexDigits = 64;

}  // namespace

std::string PrivateNames::d_of(const IpnsName& name) const {
  return to_hex(hmac_sha256(key_.view(), {name.bytes()}));
}

bool is_private_d(std::string_view d) {
  return d.size() == kHexDigits && d.find_first_not_of("0123456789abcdef") == d.npos;
}

bool is_private_hint(const nostr::Event& event, const nostr::PublicKey& author) {
  const auto d = event.tag("d");
  return event.pubkey == author && d && is_private_d(*d);
}

Status check_can_be_private(const IpnsName& name, const nostr::PublicKey& author) {
  if (name != IpnsName::from_nostr_key(author.view())) return {};
  return fail(Errc::refused,
              "anybody can compute this name from the npub, so no private hint can hide it: use "
              "the derived name, or announce it openly");
}

nostr::UnsignedEvent make_private_hint_event(std::string d, std::string payload, int kind,
                                             UnixSeconds created_at) {
  return {.created_at = created_at,
          .kind = kind,
          .tags = {{"d", std::move(d)}},
          .content = std::move(payload)};
}

Result<Hint> parse_private_hint(const nostr::Event& event, std::string_view text,
                                const PrivateNames& names, const HintLimits& limits) {
  auto hint = parse_hint_text(event, text, limits);
  if (!hint) return fail(hint.error().code, "a private hint that is none inside");
  const auto d = event.tag("d");
  if (!d || !equal_constant_time(as_bytes(*d), as_bytes(names.d_of(hint->name))))
    return fail(Errc::mismatch, "a private hint of another name than its d says");
  return hint;
}

std::vector<nostr::Filter> private_hint_filters(const std::vector<IpnsName>& watched,
                                                const PrivateNames& names,
                                                const nostr::PublicKey& author,
                                                const std::vector<int>& kinds,
                                                const HintFilterLimits& limits) {
  const size_t by_results = limits.max_results / std::max<size_t>(1, kinds.size());
  const size_t per_filter =
      std::max<size_t>(1, std::min(by_results, limits.max_item_bytes / kHexDigits));
  std::vector<nostr::Filter> filters;
  for (size_t i = 0; i < watched.size(); ++i) {
    if (i % per_filter == 0) {
      auto& filter = filters.emplace_back();
      filter.authors = {author};
      filter.kinds = kinds;
    }
    filters.back().tags['d'].push_back(names.d_of(watched[i]));
  }
  return filters;
}

nostr::Filter own_topic_filter(const nostr::PublicKey& author, const std::vector<int>& kinds,
                               const std::string& topic) {
  nostr::Filter filter;
  filter.authors = {author};
  filter.kinds = kinds;
  auto& topics = filter.tags['t'];
  topics = {std::string(kDefaultTopic), std::string(kLegacyTopic)};
  const bool known = std::find(topics.begin(), topics.end(), topic) != topics.end();
  if (!known && !topic.empty() && topic.find("{name}") == topic.npos) topics.push_back(topic);
  return filter;
}

}  // namespace ipnscast::sync
