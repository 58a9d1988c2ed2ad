#include "ipnscast/nostr/relay/split_filters.h"

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

std::vector<std::string>* longest_tag_list(Filter& filter) {
  std::vector<std::string>* out = nullptr;
  for (auto& [name, values] : filter.tags) {
    if (out == nullptr || values.size() > out->size()) out = &values;
  }
  return out;
}

template <typename T>
void halve(std::vector<T>& first, std::vector<T>& second) {
  const auto middle = static_cast<std::ptrdiff_t>(first.size() / 2);
  second.assign(first.begin() + middle, first.end());
  first.resize(static_cast<size_t>(middle));
}

// Halves the longest list, over and over, until each part is short enough or has no such list.
void cut_to_bytes(Filter filter, size_t max, std::vector<Filter>& out) {
  if (to_json(filter).size() + 1 <= max) return out.push_back(std::move(filter));
  auto two = halves(filter);
  if (two.empty()) return out.push_back(std::move(filter));
  for (Filter& half : two) cut_to_bytes(std::move(half), max, out);
}

}  // namespace

std::vector<Filter> halves(const Filter& filter) {
  std::vector<Filter> out(2, filter);
  Filter& first = out[0];
  Filter& second = out[1];
  std::vector<std::string>* const values = longest_tag_list(first);
  const size_t longest = std::max({first.ids.size(), first.authors.size(), first.kinds.size(),
                                   values == nullptr ? 0 : values->size()});
  if (longest < 2) return {};
  if (first.ids.size() == longest) {
    halve(first.ids, second.ids);
  } else if (first.authors.size() == longest) {
    halve(first.authors, second.authors);
  } else if (first.kinds.size() == longest) {
    halve(first.kinds, second.kinds);
  } else {
    halve(*values, *longest_tag_list(second));
  }
  return out;
}

RequestLimits needs_of(const std::vector<Filter>& filters) {
  RequestLimits out{0, filters.size(), 0};
  for (const Filter& filter : filters) {
    out.max_bytes += to_json(filter).size() + 1;
    out.max_list = std::max({out.max_list, filter.ids.size(), filter.authors.size()});
    for (const auto& [name, values] : filter.tags)
      out.max_list = std::max(out.max_list, values.size());
  }
  return out;
}

RequestLimits greater(const RequestLimits& a, const RequestLimits& b) {
  return {std::max(a.max_list, b.max_list), std::max(a.max_filters, b.max_filters),
          std::max(a.max_bytes, b.max_bytes)};
}

bool fits(const RequestLimits& needs, const RequestLimits& limits) {
  return needs.max_list <= limits.max_list && needs.max_filters <= limits.max_filters &&
         needs.max_bytes <= limits.max_bytes;
}

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

  std::vector<Filter> short_parts;
  for (Filter& part : parts) cut_to_bytes(std::move(part), limits.max_bytes, short_parts);

  std::vector<std::vector<Filter>> groups;
  size_t bytes = 0;
  for (Filter& part : short_parts) {
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
