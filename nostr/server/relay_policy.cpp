#include "ipnscast/nostr/server/relay_policy.h"

#include <algorithm>

#include "ipnscast/nostr/nip/nip42.h"
#include "ipnscast/nostr/nip/nip70.h"

namespace ipnscast::nostr::server {
namespace {

std::string refusal(const ProvedKeys& keys, const char* what) {
  return std::string(keys.empty() ? "auth-required: " : "restricted: ") + what;
}

}  // namespace

bool challenges_at_once(const RelayOptions& options) { return options.owner_private; }

std::optional<std::string> refuse_event(const RelayOptions& options, const ProvedKeys& keys,
                                        const Event& event) {
  if (event.kind == kAuthKind) return "invalid: kind 22242 belongs into an AUTH message";
  if (!options.writers.empty() && options.writers.count(event.pubkey) == 0)
    return "restricted: this key may not publish here";
  if (reposts_protected(event)) return "blocked: a repost must not hold a protected event";
  if (keys.count(event.pubkey) != 0) return std::nullopt;
  if (is_protected(event)) return refusal(keys, "a protected event is taken from its author only");
  if (options.owner_private && event.kind == kPrivateKind)
    return refusal(keys, "kind 30078 is taken from its author only");
  return std::nullopt;
}

std::optional<std::string> refuse_filter(const RelayOptions& options, const ProvedKeys& keys,
                                         const Filter& filter) {
  if (!options.owner_private) return std::nullopt;
  const auto& kinds = filter.kinds;
  if (std::find(kinds.begin(), kinds.end(), kPrivateKind) == kinds.end()) return std::nullopt;
  constexpr const char* kWhy = "kind 30078 is served to its author only";
  if (keys.empty()) return refusal(keys, kWhy);
  const bool only_private = kinds.size() == 1 && !filter.authors.empty();
  if (only_private && std::none_of(filter.authors.begin(), filter.authors.end(),
                                   [&](const PublicKey& key) { return keys.count(key) != 0; }))
    return refusal(keys, kWhy);
  return std::nullopt;
}

Viewer viewer_with(const RelayOptions& options, const ProvedKeys& keys) {
  if (!options.owner_private) return {};
  return {std::vector<PublicKey>(keys.begin(), keys.end())};
}

bool may_see(const RelayOptions& options, const ProvedKeys& keys, const Event& event) {
  return !options.owner_private || event.kind != kPrivateKind || keys.count(event.pubkey) != 0;
}

}  // namespace ipnscast::nostr::server
