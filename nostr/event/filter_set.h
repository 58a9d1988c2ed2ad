#pragma once

#include "ipnscast/nostr/event/filter_index.h"

namespace ipnscast::nostr {

// The filters of one subscription and their index: tells in a few look-ups what matches_any() tells
// by a search through all lists. Constant after construction; thread-safe.
class FilterSet {
 public:
  explicit FilterSet(std::vector<Filter> filters) : list_(std::move(filters)) {
    for (const Filter& filter : list_) index_.add(0, filter);
  }

  const std::vector<Filter>& list() const { return list_; }
  bool matches(const Event& event) const { return index_.matches(event); }

 private:
  const std::vector<Filter> list_;
  FilterIndex index_;
};

}  // namespace ipnscast::nostr
