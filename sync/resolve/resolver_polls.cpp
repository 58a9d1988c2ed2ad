// Background polls: one source at a time, each name in its own rotation.
#include <algorithm>

#include "ipnscast/sync/resolve/resolver_core.h"

namespace ipnscast::sync {
namespace {

using gateway::RecordDialect;

constexpr uint32_t kPollsToRace = 8;  // one of so many asks everybody
// Until others are asked beside the source of a poll: what it is known to take, within these.
constexpr Milliseconds kLeastPatience{500};
constexpr Milliseconds kMostPatience{1'000};

}  // namespace

void ResolverCore::poll(LookupId id, const IpnsName& name, OnResolve on_update, Now now) {
  Lookup* lookup = add(id, name, std::move(on_update));
  if (lookup == nullptr) return;
  lookup->poll = true;
  lookup->options.first_contact = cache_.known(name) == nullptr;
  const uint32_t turn = cache_.next_poll(name);
  const bool asks_one = !lookup->options.first_contact && turn % kPollsToRace != kPollsToRace - 1;
  if (asks_one && start_poll(*lookup, turn, now)) return;
  start_race(*lookup, now);
}

// Gateways that are known to speak something. The slow ones only when there are no others.
std::vector<size_t> ResolverCore::pollable(Now now) {
  std::vector<size_t> out;
  std::vector<size_t> slow;
  for (size_t gateway = 0; gateway < book_.size(); ++gateway) {
    if (!book_.uses(gateway).records) continue;
    probe(gateway, now);
    const auto dialects = book_.dialects(gateway);
    if (!dialects || (!dialects->trustless && !dialects->routing && !dialects->rpc)) continue;
    (book_.tier(gateway) >= 3 ? slow : out).push_back(gateway);
  }
  return out.empty() ? slow : out;
}

// The one whose turn it is, or the next that is not left alone. Names begin at different ones.
bool ResolverCore::start_poll(Lookup& lookup, uint32_t turn, Now now) {
  const std::vector<size_t> all = pollable(now);
  const size_t first = std::hash<IpnsName>()(lookup.name) + turn;
  for (size_t i = 0; i < all.size(); ++i) {
    const size_t gateway = all[(first + i) % all.size()];
    if (!book_.admit(gateway, now.steady)) continue;
    const auto dialects = book_.dialects(gateway);
    Source source;
    source.gateway = gateway;
    source.dialect = dialects->trustless ? RecordDialect::trustless
                     : dialects->routing ? RecordDialect::routing
                                         : RecordDialect::rpc_name;
    source.tier = book_.tier(gateway);
    lookup.sources.push_back(std::move(source));
    ask(lookup, 0, now);
    if (all.size() > 1)
      set_timer(lookup, now.steady + std::clamp(book_.hedge_delay(gateway, kMostPatience),
                                                kLeastPatience, kMostPatience));
    return true;
  }
  return false;
}

// The source of a poll is quiet. How long, is noted; that it failed, is not known.
void ResolverCore::ask_others(Lookup& lookup, Now now) {
  Source& source = lookup.sources.front();
  source.state = Source::State::done;
  http_.cancel(source.call);
  book_.note_latency(source.gateway,
                     std::chrono::duration_cast<Milliseconds>(now.steady - source.asked_at));
  book_.report(source.gateway, fail(Errc::cancelled, ""), now.steady);
  lookup.quiet = source.gateway;
  start_race(lookup, now);
}

}  // namespace ipnscast::sync
