#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ipnscast/nostr/event/event.h"

namespace ipnscast::nostr {

// What a subscription asks for. Within a filter everything must hold; between filters one is
// enough. NIP-01.
struct Filter {
  std::vector<EventId> ids;
  std::vector<PublicKey> authors;
  std::vector<int> kinds;
  std::map<char, std::vector<std::string>> tags;  // 'd' for "#d": single letters only
  std::optional<UnixSeconds> since;               // inclusive
  std::optional<UnixSeconds> until;               // inclusive
  std::optional<uint32_t> limit;                  // for stored events only
  bool operator==(const Filter&) const = default;
};

// Bounds on a filter from outside.
struct FilterLimits {
  size_t max_bytes = 128 * 1024;
  size_t max_items = 5000;  // in all lists together
};

// True when the event satisfies the filter; `limit` is not looked at. Every relay's answer is
// filtered again with this.
bool matches(const Filter& filter, const Event& event);
bool matches_any(const std::vector<Filter>& filters, const Event& event);

// Strict: lists non-empty and of the right type, ids and keys lower-case hex of 64. An unknown
// member that starts with
// '#' and is no single letter, or another unknown member, is Errc::unsupported (it would silently
// widen the filter).
Result<Filter> parse_filter(std::string_view json, const FilterLimits& limits = {});
std::string to_json(const Filter& filter);

}  // namespace ipnscast::nostr
