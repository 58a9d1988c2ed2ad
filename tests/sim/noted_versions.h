#pragma once

#include <map>

#include "ipnscast/sync/change/change.h"
#include "ipnscast/sync/state/history.h"

namespace ipnscast::test {

// The history of one name in a played state file.
class NotedVersions {
 public:
  void apply(const std::vector<sync::HistoryNote>& notes) {
    using What = sync::HistoryNote::What;
    for (const auto& note : notes) {
      if (note.what == What::heard) {
        sync::HeardVersion one{.number = note.number,
                               .version = note.record->version(),
                               .record = note.record->bytes,
                               .loser = note.loser};
        versions_.insert_or_assign(note.number, std::move(one));
      } else if (note.what != What::renewed) {
        for (auto& [number, one] : versions_) {
          if (number < note.since || number > note.number) continue;
          one.fate = note.what == What::taken ? sync::HeardVersion::Fate::taken
                                              : sync::HeardVersion::Fate::refused;
        }
      }
    }
  }
  std::optional<sync::HeardVersion> find(const sync::HistorySearch& search) const {
    for (auto it = versions_.upper_bound(search.after);
         it != versions_.end() && it->first <= search.until; ++it) {
      const auto& one = it->second;
      if (one.fate != sync::HeardVersion::Fate::refused && one.version.value != search.not_value)
        return one;
    }
    return std::nullopt;
  }
  // The last of this version.
  std::optional<uint64_t> number_of(const sync::Change& change) const {
    for (auto it = versions_.rbegin(); it != versions_.rend(); ++it) {
      if (it->second.version == sync::Version{change.sequence, change.value}) return it->first;
    }
    return std::nullopt;
  }
  uint64_t newest() const { return versions_.empty() ? 0 : versions_.rbegin()->first; }
  // Nothing between these two would bring the handler another value than this one.
  template <typename Refused>
  bool none_between(uint64_t after, uint64_t before, const std::string& value,
                    const Refused& refused) const {
    for (const auto& [number, one] : versions_) {
      if (number > after && number < before && one.version.value != value && !refused(one))
        return false;
    }
    return true;
  }

 private:
  std::map<uint64_t, sync::HeardVersion> versions_;
};

}  // namespace ipnscast::test
