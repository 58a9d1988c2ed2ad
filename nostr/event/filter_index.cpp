#include "ipnscast/nostr/event/filter_index.h"

#include <algorithm>

#include "ipnscast/nostr/event/implied_d.h"

namespace ipnscast::nostr {
namespace {

// Of the native integer's bytes.
std::string_view text_of_kind(const int& kind) {
  return {reinterpret_cast<const char*>(&kind), sizeof(kind)};
}

template <typename T>
void sort_once(std::vector<T>& list) {
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

template <typename List, typename T>
bool in_sorted(const List& sorted, const T& value) {
  return sorted.empty() || std::binary_search(sorted.begin(), sorted.end(), value);
}

bool has_sorted_tag(const Event& event, char name, const std::vector<std::string>& sorted) {
  return std::any_of(event.tags.begin(), event.tags.end(),
                     [&](const Tag& tag) {
                       return tag.size() >= 2 && tag[0].size() == 1 && tag[0][0] == name &&
                              std::binary_search(sorted.begin(), sorted.end(), tag[1]);
                     }) ||
         (name == 'd' && !sorted.empty() && sorted.front().empty() && implies_empty_d(event));
}

// matches() for a filter whose lists are sorted.
bool holds(const Filter& sorted, const Event& event) {
  if (sorted.since && event.created_at < *sorted.since) return false;
  if (sorted.until && event.created_at > *sorted.until) return false;
  if (!in_sorted(sorted.kinds, event.kind) || !in_sorted(sorted.authors, event.pubkey) ||
      !in_sorted(sorted.ids, event.id)) {
    return false;
  }
  return std::all_of(sorted.tags.begin(), sorted.tags.end(), [&](const auto& wanted) {
    return has_sorted_tag(event, wanted.first, wanted.second);
  });
}

// The tag under whose values the filter is filed, if it is filed under a tag's.
std::map<char, std::vector<std::string>>::iterator tag_to_file(Filter& filter) {
  const auto d = filter.tags.find('d');
  if (d != filter.tags.end() || !filter.authors.empty()) return d;
  return std::min_element(filter.tags.begin(), filter.tags.end(), [](const auto& a, const auto& b) {
    return a.second.size() < b.second.size();
  });
}

}  // namespace

struct FilterIndex::Filed {
  Owner owner = 0;
  Filter rest;  // without the list that it is filed under; the others are sorted
  struct Place {
    Table* table;
    const std::string* value;  // the table's own copy
  };
  std::vector<Place> places;
};

FilterIndex::FilterIndex()
    : key_(SipKey::random()), ids_(0, Hash{key_}), authors_(0, Hash{key_}), kinds_(0, Hash{key_}) {}

FilterIndex::~FilterIndex() = default;

FilterIndex::Table& FilterIndex::table(char tag) {
  return tags_.try_emplace(tag, 0, Hash{key_}).first->second;
}

void FilterIndex::file(Table& table, std::string_view value, Filed& filter) {
  auto place = table.find(value);
  if (place == table.end()) place = table.try_emplace(std::string(value)).first;
  if (place->second.insert(&filter).second) filter.places.push_back({&table, &place->first});
}

void FilterIndex::add(Owner owner, const Filter& filter) {
  auto& filed = *filters_[owner].emplace_back(std::make_unique<Filed>());
  filed.owner = owner;
  Filter& rest = filed.rest;
  rest = filter;
  if (const auto tag = tag_to_file(rest); !rest.ids.empty()) {
    for (const EventId& id : rest.ids) file(ids_, as_text(id.view()), filed);
    rest.ids.clear();
  } else if (tag != rest.tags.end()) {
    for (const std::string& value : tag->second) file(table(tag->first), value, filed);
    rest.tags.erase(tag);
  } else if (!rest.authors.empty()) {
    for (const PublicKey& author : rest.authors) file(authors_, as_text(author.view()), filed);
    rest.authors.clear();
  } else if (!rest.kinds.empty()) {
    for (const int kind : rest.kinds) file(kinds_, text_of_kind(kind), filed);
    rest.kinds.clear();
  } else {
    others_.insert(&filed);
  }
  sort_once(rest.authors);
  sort_once(rest.kinds);
  for (auto& [letter, values] : rest.tags) sort_once(values);
}

void FilterIndex::remove(Owner owner) {
  const auto found = filters_.find(owner);
  if (found == filters_.end()) return;
  for (const auto& filed : found->second) {
    others_.erase(filed.get());
    for (const auto& [table, value] : filed->places) {
      const auto place = table->find(*value);
      place->second.erase(filed.get());
      if (place->second.empty()) table->erase(place);
    }
  }
  filters_.erase(found);
  std::erase_if(tags_, [](const auto& of_tag) { return of_tag.second.empty(); });
}

template <typename Take>
bool FilterIndex::look(const Table& table, std::string_view value, Take take) const {
  if (table.empty()) return false;
  const auto place = table.find(value);
  return place != table.end() && std::any_of(place->second.begin(), place->second.end(), take);
}

// Gives every filter that may want the event to `take`, some of them several times, until it says
// true.
template <typename Take>
bool FilterIndex::search(const Event& event, Take take) const {
  if (look(ids_, as_text(event.id.view()), take)) return true;
  if (look(authors_, as_text(event.pubkey.view()), take)) return true;
  if (look(kinds_, text_of_kind(event.kind), take)) return true;
  if (std::any_of(others_.begin(), others_.end(), take)) return true;
  if (tags_.empty()) return false;
  for (const Tag& tag : event.tags) {
    if (tag.size() < 2 || tag[0].size() != 1) continue;
    const auto of_tag = tags_.find(tag[0][0]);
    if (of_tag != tags_.end() && look(of_tag->second, tag[1], take)) return true;
  }
  const auto of_d = tags_.find('d');
  return of_d != tags_.end() && implies_empty_d(event) && look(of_d->second, "", take);
}

bool FilterIndex::matches(const Event& event) const {
  return search(event, [&](const Filed* filed) { return holds(filed->rest, event); });
}

FilterIndex::Found FilterIndex::owners(const Event& event) const {
  Found out;
  search(event, [&](const Filed* filed) {
    ++out.examined;
    if (holds(filed->rest, event)) out.owners.push_back(filed->owner);
    return false;
  });
  sort_once(out.owners);
  return out;
}

}  // namespace ipnscast::nostr
