#include "ipnscast/sync/publish/errand_book.h"

#include <algorithm>
#include <set>

namespace ipnscast::sync {
namespace {

constexpr Milliseconds kLongestPause{86'400'000};  // that a place may ask for

}  // namespace

void ErrandBook::owe(const std::vector<Errand>& all, Instant first) {
  const std::set<Errand> wanted(all.begin(), all.end());
  std::erase_if(entries_, [&](const auto& entry) {
    return wanted.count(entry.first) == 0 && !entry.second.under_way;
  });
  for (const Errand& errand : wanted) entries_.try_emplace(errand, Entry{first, 0, false});
}

std::vector<Errand> ErrandBook::take_due(Instant now) {
  std::vector<Errand> out;
  for (auto& [errand, entry] : entries_) {
    if (entry.under_way || entry.due > now) continue;
    entry.under_way = true;
    out.push_back(errand);
  }
  return out;
}

void ErrandBook::done(const Errand& errand) { entries_.erase(errand); }

void ErrandBook::failed(const Errand& errand, Instant now, Milliseconds at_least) {
  const auto it = entries_.find(errand);
  if (it == entries_.end()) return;
  Entry& entry = it->second;
  entry.under_way = false;
  const int doublings = std::min(entry.failures++, 20);
  const Milliseconds wait =
      std::min(options_.retry_max, options_.retry_min * (int64_t{1} << doublings));
  entry.due = now + std::max(wait, std::min(at_least, kLongestPause));
}

std::optional<Instant> ErrandBook::next_due() const {
  std::optional<Instant> out;
  for (const auto& [errand, entry] : entries_) {
    if (!entry.under_way && (!out || entry.due < *out)) out = entry.due;
  }
  return out;
}

}  // namespace ipnscast::sync
