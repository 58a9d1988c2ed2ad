#include "ipnscast/tools/bench/filter.h"

#include <unordered_set>

#include "ipnscast/nostr/event/filter_set.h"
#include "ipnscast/nostr/event/keys.h"
#include "ipnscast/sync/hint/hint.h"
#include "ipnscast/tools/bench/event_file.h"
#include "ipnscast/tools/bench/measure.h"

namespace ipnscast::tools {
namespace {

constexpr size_t kEvents = 2000;
constexpr int kRounds = 9;

// What a reader of these names asks for.
std::vector<nostr::Filter> filters_for(const nostr::PublicKey& author,
                                       const std::vector<std::string>& ds) {
  constexpr size_t kInOne = sync::HintFilterLimits{}.max_results;
  std::vector<nostr::Filter> out;
  for (size_t i = 0; i < ds.size(); i += kInOne) {
    nostr::Filter filter;
    filter.authors = {author};
    filter.kinds = {sync::kHintKind, sync::kPublicHintKind};
    const auto first = ds.begin() + static_cast<ptrdiff_t>(i);
    const auto last = ds.begin() + static_cast<ptrdiff_t>(std::min(i + kInOne, ds.size()));
    filter.tags['d'] = {first, last};
    out.push_back(std::move(filter));
  }
  return out;
}

}  // namespace

Result<FilterResult> bench_filter(size_t names) {
  const nostr::SecretKey key = nostr::SecretKey::generate();
  std::vector<std::string> watched;
  for (size_t i = 0; i < names; ++i) watched.push_back("ipns-sync-watched" + std::to_string(i));
  const nostr::FilterSet filters(filters_for(key.public_key(), watched));
  const std::unordered_set<std::string_view> table(watched.begin(), watched.end());
  std::vector<nostr::Event> events;
  for (size_t i = 0; i < kEvents; ++i) {
    const auto& d = i % 2 == 0 ? watched[i * 7919 % names] : "ipns-sync-other" + std::to_string(i);
    const nostr::UnsignedEvent hint = bench_hint(d, i);
    events.push_back({.id = {},
                      .pubkey = key.public_key(),
                      .created_at = hint.created_at,
                      .kind = hint.kind,
                      .tags = hint.tags,
                      .content = hint.content,
                      .sig = {}});
  }
  std::vector<double> figure_seconds;
  std::vector<double> limit_seconds;
  for (int round = 0; round < kRounds; ++round) {
    size_t matched = 0;
    size_t found = 0;
    const double before = cpu_seconds();
    for (const auto& event : events) matched += filters.matches(event) ? 1 : 0;
    const double between = cpu_seconds();
    for (const auto& event : events) found += table.count(event.tag("d").value_or(""));
    limit_seconds.push_back((cpu_seconds() - between) / kEvents);
    figure_seconds.push_back((between - before) / kEvents);
    if (matched != kEvents / 2 || found != matched)
      return fail(Errc::internal, "bench: an event is matched wrongly");
  }
  return FilterResult{.figure = 1 / median(figure_seconds), .limit = 1 / median(limit_seconds)};
}

}  // namespace ipnscast::tools
