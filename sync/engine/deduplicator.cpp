#include "ipnscast/sync/engine/deduplicator.h"

#include <algorithm>

namespace ipnscast::sync {
namespace {

using Sighting = Deduplicator::Sighting;

bool covers(const Sighting& seen, const Sighting& fresh) {
  return seen.sequence == fresh.sequence && seen.value == fresh.value &&
         seen.strength >= fresh.strength &&
         (fresh.strength != Deduplicator::Strength::record || seen.eol >= fresh.eol);
}

}  // namespace

bool Deduplicator::admit(const IpnsName& name, const Sighting& sighting, SourceKind source) {
  auto it = names_.find(name);
  if (it == names_.end()) {
    if (names_.size() >= max_names_) names_.erase(names_.begin());
    it = names_.emplace(name, std::deque<Sighting>()).first;
  }
  auto& seen = it->second;
  if (sighting.sequence) {
    if (std::any_of(seen.begin(), seen.end(), [&](const auto& s) { return covers(s, sighting); })) {
      ++duplicates_[source];
      return false;
    }
  } else if (!seen.empty() && seen.back().value == sighting.value &&
             seen.back().strength >= sighting.strength) {
    // Without a sequence only the latest value says anything: A, B, A again is news.
    ++duplicates_[source];
    return false;
  }
  seen.push_back(sighting);
  if (seen.size() > kPerName) seen.pop_front();
  return true;
}

void Deduplicator::failed(const IpnsName& name) {
  const auto it = names_.find(name);
  if (it == names_.end()) return;
  std::erase_if(it->second, [](const auto& s) { return s.strength != Strength::record; });
}

uint64_t Deduplicator::duplicates(SourceKind source) const {
  const auto it = duplicates_.find(source);
  return it == duplicates_.end() ? 0 : it->second;
}

}  // namespace ipnscast::sync
