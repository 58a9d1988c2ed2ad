#include "ipnscast/nostr/server/subscription_index.h"

namespace ipnscast::nostr::server {
namespace {

constexpr size_t kFilterBytes = 512;
constexpr size_t kValueBytes = 256;
constexpr size_t kCopies = 2;  // of a tag's value: in the filter, and as a key of the index

}  // namespace

size_t count_items(const Filter& filter) {
  size_t out = filter.ids.size() + filter.authors.size() + filter.kinds.size();
  for (const auto& [letter, values] : filter.tags) out += values.size();
  return out;
}

size_t count_bytes(const Filter& filter) {
  size_t out = kFilterBytes + count_items(filter) * kValueBytes;
  for (const auto& [letter, values] : filter.tags) {
    for (const std::string& value : values) out += kCopies * value.size();
  }
  return out;
}

void SubscriptionIndex::add(ServerConnectionId connection, const SubscriptionId& id,
                            const std::vector<Filter>& filters) {
  remove(connection, id);
  const Handle handle = next_++;
  Subscription& subscription = subscriptions_[handle];
  subscription = {connection, id, 0, 0};
  for (const Filter& filter : filters) {
    filters_.add(handle, filter);
    subscription.items += count_items(filter);
    subscription.bytes += count_bytes(filter);
  }
  total_bytes_ += subscription.bytes;
  of_connection_[connection][id] = handle;
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
  filters_.remove(handle);
  const auto found = subscriptions_.find(handle);
  total_bytes_ -= found->second.bytes;
  subscriptions_.erase(found);
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
    if (id != but) out += subscriptions_.at(handle).items;
  }
  return out;
}

size_t SubscriptionIndex::bytes(ServerConnectionId connection, const SubscriptionId& but) const {
  const auto of = of_connection_.find(connection);
  if (of == of_connection_.end()) return 0;
  size_t out = 0;
  for (const auto& [id, handle] : of->second) {
    if (id != but) out += subscriptions_.at(handle).bytes;
  }
  return out;
}

size_t SubscriptionIndex::bytes_of(ServerConnectionId connection, const SubscriptionId& id) const {
  const auto of = of_connection_.find(connection);
  if (of == of_connection_.end()) return 0;
  const auto found = of->second.find(id);
  return found == of->second.end() ? 0 : subscriptions_.at(found->second).bytes;
}

std::vector<const SubscriptionIndex::Subscription*> SubscriptionIndex::matching(
    const Event& event) const {
  const FilterIndex::Found found = filters_.owners(event);
  examined_ += found.examined;
  std::vector<const Subscription*> out;
  for (const Handle handle : found.owners) out.push_back(&subscriptions_.at(handle));
  return out;
}

}  // namespace ipnscast::nostr::server
