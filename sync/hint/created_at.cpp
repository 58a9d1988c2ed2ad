#include "ipnscast/sync/hint/created_at.h"

#include <algorithm>

namespace ipnscast::sync {

CreatedAtAllocator::CreatedAtAllocator() : CreatedAtAllocator(Options{}) {}
CreatedAtAllocator::CreatedAtAllocator(Options options) : options_(options) {}

CreatedAt CreatedAtAllocator::next(const nostr::Address& address, UnixSeconds now) const {
  const auto last = mark(address);
  if (!last || *last < now) return {now, CreatedAt::Advice::ready};
  const UnixSeconds value{last->value + 1};
  if (ahead_of_limit(value, now)) return {now, CreatedAt::Advice::delete_first};
  return {value, CreatedAt::Advice::coalesce};
}

CreatedAt CreatedAtAllocator::take(const nostr::Address& address, UnixSeconds now) {
  const CreatedAt given = next(address, now);
  if (given.advice != CreatedAt::Advice::delete_first) restore(address, given.value);
  return given;
}

bool CreatedAtAllocator::learn(const nostr::Address& address, UnixSeconds created_at,
                               UnixSeconds now) {
  if (ahead_of_limit(created_at, now)) return false;
  const auto last = mark(address);
  if (last && *last >= created_at) return false;
  if (!last && marks_.size() >= options_.max_addresses) return false;
  marks_[address] = created_at;
  return true;
}

bool CreatedAtAllocator::ahead_of_limit(UnixSeconds created_at, UnixSeconds now) const {
  // Unsigned, so that a forged extreme cannot overflow.
  return created_at > now &&
         static_cast<uint64_t>(created_at.value) - static_cast<uint64_t>(now.value) >
             static_cast<uint64_t>(options_.relay_limit.count());
}

void CreatedAtAllocator::restore(const nostr::Address& address, UnixSeconds mark) {
  auto& held = marks_[address];
  held = std::max(held, mark);
}

std::optional<UnixSeconds> CreatedAtAllocator::mark(const nostr::Address& address) const {
  const auto it = marks_.find(address);
  if (it == marks_.end()) return std::nullopt;
  return it->second;
}

void CreatedAtAllocator::reset(const nostr::Address& address) { marks_.erase(address); }

}  // namespace ipnscast::sync
