#include "nostr/server/subscription_index.h"

#include <algorithm>

namespace ipnscast::nostr::server {
namespace {

// Keys: 'i' and an id, 'a' and an author, 'k' and a kind, '#' and a tag's letter and value, '*'.
std::string key_of(char list, ByteView value) { return list + std::string(as_text(value)); }
std::string key_of_kind(int kind) { return "k" + std::to_string(kind); }
std::string key_of_tag(char letter, std::string_view value) {
  std::string out{'#', letter};
  out += value;
  return out;
}

std::vector<std::string> keys_of(const Filter& filter) {
  std::vector<std::string> out;
  auto tag = filter.tags.find('d');
  if (!filter.ids.empty()) {
    for (const EventId& id : filter.ids) out.push_back(key_of('i', id.view()));
    return out;
  }
  if (tag == filter.tags.end() && !filter.authors.empty()) {
    for (const PublicKey& author : filter.authors) out.push_back(key_of('a', author.view()));
    return out;
  }
  if (tag == filter.tags.end()) {
    tag = std::min_element(
        filter.tags.begin(), filter.tags.end(),
        [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
  }
  if (tag != filter.tags.end()) {
    for (const std::string& value : tag->second) out.push_back(key_of_tag(tag->first, value));
    return out;
  }
  for (const int kind : filter.kinds) out.push_back(key_of_kind(kind));
  if (filter.kinds.empty()) out.push_back("*");
  return out;
}

std::vector<std::string> keys_of(const Event& event) {
  std::vector<std::string> out = {key_of('i', event.id.view()), key_of('a', event.pubkey.view()),
                                  key_of_kind(event.kind), "*"};
  for (const Tag& tag : event.tags) {
    if (tag.size() >= 2 && tag[0].size() == 1) out.push_back(key_of_tag(tag[0][0], tag[1]));
  }
  return out;
}

}  // namespace

size_t count_items(const Filter& filter) {
  size_t out = filter.ids.size() + filter.authors.size() + filter.kinds.size();
  for (const auto& [letter, values] : filter.tags) out += values.size();
  return out;
}

void SubscriptionIndex::add(Subscription subscription) {
  remove(subscription.connection, subscription.id);
  const Handle handle = next_++;
  for (const Filter& filter : subscription.filters) {
    for (std::string& key : keys_of(filter)) filed_[std::move(key)].insert(handle);
  }
  of_connection_[subscription.connection][subscription.id] = handle;
  subscriptions_.emplace(handle, std::move(subscription));
}

bool SubscriptionIndex::remove(ServerConnectionId connection, const SubscriptionId& id) {
  const auto of = of_connection_.find(connection);
  if (of == of_connection_.end()) return false;
  const auto found = of->second.find(id);
  if (found == of->second.end()) return false;
  drop(found->second);
  of->second.erase(found);
  if (of->second.empty()) of_connection_.erase(of);
  return true;
}

void SubscriptionIndex::remove_all(ServerConnectionId connection) {
  const auto of = of_connection_.find(connection);
  if (of == of_connection_.end()) return;
  for (const auto& [id, handle] : of->second) drop(handle);
  of_connection_.erase(of);
}

void SubscriptionIndex::drop(Handle handle) {
  const auto subscription = subscriptions_.find(handle);
  for (const Filter& filter : subscription->second.filters) {
    for (const std::string& key : keys_of(filter)) {
      const auto filed = filed_.find(key);
      if (filed == filed_.end()) continue;  // a value that stands in two filters
      filed->second.erase(handle);
      if (filed->second.empty()) filed_.erase(filed);
    }
  }
  subscriptions_.erase(subscription);
}

bool SubscriptionIndex::contains(ServerConnectionId connection, const SubscriptionId& id) const {
  const auto of = of_connection_.find(connection);
  return of != of_connection_.end() && of->second.count(id) != 0;
}

size_t SubscriptionIndex::count(ServerConnectionId connection) const {
  const auto of = of_connection_.find(connection);
  return of == of_connection_.end() ? 0 : of->second.size();
}

size_t SubscriptionIndex::items(ServerConnectionId connection, const SubscriptionId& but) const {
  const auto of = of_connection_.find(connection);
  if (of == of_connection_.end()) return 0;
  size_t out = 0;
  for (const auto& [id, handle] : of->second) {
    if (id == but) continue;
    for (const Filter& filter : subscriptions_.at(handle).filters) out += count_items(filter);
  }
  return out;
}

std::vector<const SubscriptionIndex::Subscription*> SubscriptionIndex::matching(
    const Event& event) const {
  std::vector<Handle> handles;
  for (const std::string& key : keys_of(event)) {
    const auto filed = filed_.find(key);
    if (filed != filed_.end())
      handles.insert(handles.end(), filed->second.begin(), filed->second.end());
  }
  std::sort(handles.begin(), handles.end());
  handles.erase(std::unique(handles.begin(), handles.end()), handles.end());
  examined_ += handles.size();
  std::vector<const Subscription*> out;
  for (const Handle handle : handles) {
    const Subscription& subscription = subscriptions_.at(handle);
    if (matches_any(subscription.filters, event)) out.push_back(&subscription);
  }
  return out;
}

}  // namespace ipnscast::nostr::server
