#pragma once

#include <vector>

#include "ipnscast/nostr/event/filter.h"

namespace ipnscast::nostr {

// What one REQ may hold; the defaults are what common relays accept.
struct RequestLimits {
  size_t max_list = 500;  // values in one list of a filter, which is also the number of results
                          // relays give for one
  size_t max_filters = 200;
  size_t max_bytes = 64 * 1024;
  bool operator==(const RequestLimits&) const = default;
};

// What these filters need as one REQ.
RequestLimits needs_of(const std::vector<Filter>& filters);
// What both of them need.
RequestLimits greater(const RequestLimits& a, const RequestLimits& b);
bool fits(const RequestLimits& needs, const RequestLimits& limits);

// Splits filters into groups, one per REQ, that together ask for the same: lists of ids, authors
// and tag values that are too long, or make their filter too long, are cut into parts, then filters
// are packed. A filter that is too large for another reason stands alone.
std::vector<std::vector<Filter>> split_filters(const std::vector<Filter>& filters,
                                               const RequestLimits& limits = {});

// Two filters that together ask for the same: the longest list is cut in half. None when no list
// has two values.
std::vector<Filter> halves(const Filter& filter);

}  // namespace ipnscast::nostr
