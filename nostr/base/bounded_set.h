#pragma once

#include <cstddef>
#include <deque>
#include <unordered_set>

namespace ipnscast {

// Remembers the last `capacity` values that were inserted; the oldest goes first. Owned by one
// thread.
template <typename T, typename Hash = std::hash<T>>
class BoundedSet {
 public:
  explicit BoundedSet(size_t capacity) : capacity_(capacity) {}

  // True when the value was not there.
  bool insert(const T& value) {
    if (!values_.insert(value).second) return false;
    order_.push_back(value);
    if (order_.size() > capacity_) {
      values_.erase(order_.front());
      order_.pop_front();
    }
    return true;
  }
  bool contains(const T& value) const { return values_.count(value) != 0; }
  size_t size() const { return values_.size(); }

 private:
  const size_t capacity_;
  std::unordered_set<T, Hash> values_;
  std::deque<T> order_;
};

}  // namespace ipnscast
