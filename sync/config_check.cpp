#include "ipnscast/sync/config_check.h"

#include <array>
#include <utility>
#include <vector>

#include "ipnscast/nostr/net/stream/tls_client.h"
#include "ipnscast/sync/decider/decider.h"
#include "ipnscast/sync/gateway/endpoint.h"
#include "ipnscast/sync/hint/hint_kinds.h"

namespace ipnscast::sync {
namespace {

using std::chrono::nanoseconds;
using Fault = std::optional<ConfigFault>;

// So that no sum with the clock overflows.
constexpr auto kLongest = std::chrono::hours(100 * 366 * 24);
// A renewal has half of it: it asks everybody, signs, and brings the record to all.
constexpr auto kShortestLifetime = std::chrono::minutes(1);
constexpr Milliseconds kShortestPoll{100};

// "1m30s", "500ms".
std::string shown(nanoseconds time) {
  constexpr std::array<std::pair<const char*, int64_t>, 5> kUnits = {{{"h", 3'600'000'000'000},
                                                                      {"m", 60'000'000'000},
                                                                      {"s", 1'000'000'000},
                                                                      {"ms", 1'000'000},
                                                                      {"ns", 1}}};
  if (time.count() <= 0) return time.count() == 0 ? "0" : "less than 0";
  std::string out;
  int64_t left = time.count();
  for (const auto& [unit, length] : kUnits) {
    if (left / length > 0) out += std::to_string(left / length) + unit;
    left %= length;
  }
  return out;
}

// Such that the rest can calculate with it.
template <typename Time>
nanoseconds bounded(Time time) {
  if (time < Time(0)) return nanoseconds(-1);
  if (time > std::chrono::duration_cast<Time>(kLongest)) return kLongest + nanoseconds(1);
  return time;
}

// From `least` up.
Fault check_time(std::string_view setting, nanoseconds time, nanoseconds least) {
  if (time < least && least == nanoseconds(1))
    return ConfigFault{setting, "want a time above 0, not " + shown(time)};
  if (time < least)
    return ConfigFault{setting, "want " + shown(least) + " or more, not " + shown(time)};
  if (time > kLongest) return ConfigFault{setting, "want 100 years at most"};
  return {};
}

Fault check_number(std::string_view setting, uint64_t number, uint64_t least, uint64_t most) {
  if (number >= least && number <= most) return {};
  return ConfigFault{setting, "want " + std::to_string(least) + " to " + std::to_string(most) +
                                  ", not " + std::to_string(number)};
}

Fault check_times(const Config& c) {
  constexpr nanoseconds kSome{1};
  constexpr nanoseconds kAny{0};
  struct Time {
    std::string_view setting;
    nanoseconds time;
    nanoseconds least;
  };
  for (const Time& one :
       std::initializer_list<Time>{{"poll_min", bounded(c.poll_min), kShortestPoll},
                                   {"poll_max", bounded(c.poll_max), kShortestPoll},
                                   {"poll_healthy", bounded(c.poll_healthy), kShortestPoll},
                                   {"debounce", bounded(c.debounce), kAny},
                                   {"answer_by", bounded(c.answer_by), kSome},
                                   {"listen", bounded(c.listen), kSome},
                                   {"slow_listen", bounded(c.slow_listen), kSome},
                                   {"settle", bounded(c.settle), kAny},
                                   {"record_cache", bounded(c.record_cache), kAny},
                                   {"not_found_cache", bounded(c.not_found_cache), kAny},
                                   {"breaker", bounded(c.breaker), kAny},
                                   {"handler_timeout", bounded(c.handler_timeout), kSome},
                                   {"fetch_stall", bounded(c.fetch_stall), kSome},
                                   {"record_ttl", bounded(c.record_ttl), kAny},
                                   {"read_back", bounded(c.read_back), kAny},
                                   {"publish_settle", bounded(c.publish_settle), kAny},
                                   {"retry_min", bounded(c.retry_min), kSome},
                                   {"retry_max", bounded(c.retry_max), kSome},
                                   {"outbox.max_age", bounded(c.outbox.max_age), kSome},
                                   {"publish_stall", bounded(c.publish_stall), kSome},
                                   {"publish_timeout", bounded(c.publish_timeout), kSome}}) {
    if (auto fault = check_time(one.setting, one.time, one.least)) return fault;
  }
  if (c.poll_min > c.poll_max)
    return ConfigFault{"poll_min",
                       "the shortest time between polls, " + shown(c.poll_min) +
                           ", is longer than the longest, " + shown(c.poll_max),
                       "poll_max"};
  if (c.retry_min > c.retry_max)
    return ConfigFault{"retry_min",
                       "the first wait, " + shown(c.retry_min) + ", is longer than the longest, " +
                           shown(c.retry_max),
                       "retry_max"};
  return {};
}

// What is signed with it holds all over the world, for as long as it says.
Fault check_record_times(const Config& c) {
  if (c.record_lifetime < kShortestLifetime)
    return ConfigFault{"record_lifetime", "a record that is valid for " + shown(c.record_lifetime) +
                                              " is over before it can be renewed: want " +
                                              shown(kShortestLifetime) + " or more"};
  if (auto fault = check_time("record_lifetime", c.record_lifetime, nanoseconds(1))) return fault;
  if (c.record_ttl > c.record_lifetime)
    return ConfigFault{"record_ttl",
                       "a record may not be cached for longer (its TTL, " + shown(c.record_ttl) +
                           ") than it is valid (its lifetime, " + shown(c.record_lifetime) + ")",
                       "record_lifetime"};
  return {};
}

Fault check_numbers(const Config& c) {
  struct Number {
    std::string_view setting;
    uint64_t number;
    uint64_t least;
    uint64_t most;
  };
  constexpr uint64_t kMostBytes = uint64_t{1} << 62;
  if (c.breaker_failures < 1)
    return ConfigFault{"breaker_failures",
                       "want 1 or more, not " + std::to_string(c.breaker_failures)};
  for (const Number& one :
       std::initializer_list<Number>{{"fetch_max_bytes", c.fetch_max_bytes, 1, kMostBytes},
                                     {"cache_bytes", c.cache_bytes, 0, kMostBytes},
                                     {"kept_bytes", c.kept_bytes, 1, kMostBytes},
                                     {"versions", c.versions, 0, 10'000},
                                     {"parallel", c.parallel, 1, 64},
                                     {"handler_lanes", c.handler_lanes, 1, 64},
                                     {"profile", c.profile.chunk_bytes, 1, 2 << 20},
                                     {"profile", c.profile.links_per_node, 2, 8'192},
                                     {"quorum", c.quorum.count, 0, 1'000},
                                     {"outbox.max_events", c.outbox.max_events, 1, 10'000'000}}) {
    if (auto fault = check_number(one.setting, one.number, one.least, one.most)) return fault;
  }
  return {};
}

Fault check_kinds(const Config& c) {
  if (auto kinds = check_hint_kinds(c.kinds); !kinds)
    return ConfigFault{"kinds", kinds.error().message};
  if (auto kinds = check_hint_kinds(c.public_kinds); !kinds)
    return ConfigFault{"public_kinds", kinds.error().message};
  return {};
}

Fault check_places(const Config& c) {
  for (const Gateway& gateway : c.gateways) {
    if (auto endpoint = gateway::parse_endpoint(gateway.url, gateway.authorization); !endpoint)
      return ConfigFault{"gateways", endpoint.error().message};
    if (gateway.tier < 1 || gateway.tier > 3)
      return ConfigFault{"gateways", "want tier 1 to 3, not " + std::to_string(gateway.tier)};
  }
  std::vector<std::string> nodes;
  for (const Gateway& gateway : c.gateways) {
    if (gateway.tier == 1) nodes.push_back(gateway.url);
  }
  if (auto decider = check_decider(c.publish_decider, nodes); !decider)
    return ConfigFault{"publish_decider", decider.error().message};
  if (c.access.ca_file.empty()) return {};
  const auto tls = nostr::net::make_tls_context(c.access.ca_file, {}, nullptr);
  if (!tls) return ConfigFault{"access.ca_file", tls.error().message};
  return {};
}

Fault check_privacy(const Config& c) {
  if (c.private_hints && c.publish_public)
    return ConfigFault{"private_hints",
                       "hints are private, for our devices, or public, for everybody: not both",
                       "publish_public"};
  if (c.private_hints && c.record_announcer)
    return ConfigFault{"private_hints",
                       "hints that hide whose they are, and records that name our key, exclude "
                       "each other",
                       "record_announcer"};
  return {};
}

}  // namespace

std::optional<ConfigFault> find_fault(const Config& config) {
  for (const auto check :
       {check_kinds, check_times, check_record_times, check_numbers, check_places, check_privacy}) {
    if (auto fault = check(config)) return fault;
  }
  return {};
}

}  // namespace ipnscast::sync
