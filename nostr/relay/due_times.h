#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "ipnscast/nostr/base/clock.h"

namespace ipnscast::nostr {

// When which of many things is due; the earliest is at hand without looking at the others.
template <typename Key>
class DueTimes {
 public:
  // Due at `when`, or not at all any more.
  void set(const Key& key, std::optional<Instant> when) {
    if (const auto found = by_key_.find(key); found != by_key_.end()) {
      if (when && found->second == *when) return;
      by_time_.erase({found->second, key});
      by_key_.erase(found);
    }
    if (!when) return;
    by_key_.emplace(key, *when);
    by_time_.emplace(*when, key);
  }

  std::optional<Instant> earliest() const {
    return by_time_.empty() ? std::nullopt : std::optional(by_time_.begin()->first);
  }

  // Takes out what is due by now, earliest first.
  std::vector<Key> take_due(Instant now) {
    std::vector<Key> out;
    while (!by_time_.empty() && by_time_.begin()->first <= now) {
      out.push_back(by_time_.begin()->second);
      by_key_.erase(out.back());
      by_time_.erase(by_time_.begin());
    }
    return out;
  }

 private:
  std::map<Key, Instant> by_key_;
  std::set<std::pair<Instant, Key>> by_time_;
};

}  // namespace ipnscast::nostr
