#include "nostr/split_filters.h"

#include <algorithm>

namespace ipnscast::nostr {
namespace {

// Cuts the list that `list_of` names in every filter into parts of at most `max`.
template <typename ListOf>
std::vector<Filter> cut(const std::vector<Filter>& filters, size_t max, ListOf list_of) {
  std::vector<Filter> out;
  for (const Filter& filter : filters) {
    Filter part = filter;
    auto* list = list_of(part);
    if (list == nullptr || list->size() <= max) {
      out.push_back(std::move(part));
      continue;
    }
    const auto whole = *list;
    for (size_t from = 0; from < whole.size(); from += max) {
      const size_t to = std::min(from + max, whole.size());
      list->assign(whole.begin() + static_cast<std::ptrdiff_t>(from),
                   whole.begin() + static_cast<std::ptrdiff_t>(to));
      out.push_back(part);
    }
  }
  return out;
}

}  // namespace

std::vector<std::vector<Filter>> split_filters(const std::vector<Filter>& filters,
                                               const RequestLimits& limits) {
  std::vector<Filter> parts = cut(filters, limits.max_list, [](Filter& f) { return &f.ids; });
  parts = cut(parts, limits.max_list, [](Filter& f) { return &f.authors; });
  std::vector<char> tag_names;
  for (const Filter& filter : filters) {
    for (const auto& [name, values] : filter.tags) tag_names.push_back(name);
  }
  std::sort(tag_names.begin(), tag_names.end());
  tag_names.erase(std::unique(tag_names.begin(), tag_names.end()), tag_names.end());
  for (const char name : tag_names) {
    parts = cut(parts, limits.max_list, [name](Filter& f) {
      const auto found = f.tags.find(name);
      return found == f.tags.end() ? nullptr : &found->second;
    });
  }

  std::vector<std::vector<Filter>> groups;
  size_t bytes = 0;
  for (Filter& part : parts) {
    const size_t size = to_json(part).size() + 1;
    if (groups.empty() || groups.back().size() >= limits.max_filters ||
        bytes + size > limits.max_bytes) {
      groups.emplace_back();
      bytes = 0;
    }
    bytes += size;
    groups.back().push_back(std::move(part));
  }
  return groups;
}

}  // namespace ipnscast::nostr
