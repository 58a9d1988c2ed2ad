#include "nostr/verified_set.h"

#include <mutex>
#include <unordered_map>

namespace ipnscast::nostr {

// Events in two generations: when the young one is full it becomes the old one, and the old one is
// forgotten.
struct VerifiedSet::Shard {
  using Generation = std::unordered_map<EventId, Known>;

  const Known* find(const EventId& id) const {
    if (const auto it = young.find(id); it != young.end()) return &it->second;
    if (const auto it = old.find(id); it != old.end()) return &it->second;
    return nullptr;
  }

  // constant after construction
  size_t half = 1;

  std::mutex mutex;
  // guarded by mutex
  Generation young;
  Generation old;
};

VerifiedSet::VerifiedSet(size_t capacity) : shards_(std::make_unique<Shard[]>(kShards)) {
  for (size_t i = 0; i < kShards; ++i)
    shards_[i].half = std::max<size_t>(1, capacity / kShards / 2);
}

VerifiedSet::~VerifiedSet() = default;

VerifiedSet::Shard& VerifiedSet::shard_of(const EventId& id) const {
  return shards_[id.bytes[31] % kShards];
}

std::optional<VerifiedSet::Known> VerifiedSet::find(const EventId& id) const {
  Shard& shard = shard_of(id);
  std::lock_guard lock(shard.mutex);
  const auto* known = shard.find(id);
  return known == nullptr ? std::nullopt : std::optional(*known);
}

bool VerifiedSet::holds(const EventId& computed_id, const Signature& sig) const {
  const auto known = find(computed_id);
  return known && known->sig == sig;
}

void VerifiedSet::remember(const Event& event) {
  Shard& shard = shard_of(event.id);
  std::lock_guard lock(shard.mutex);
  if (shard.find(event.id) != nullptr)
    return;  // the first signature that held is as good as another
  if (shard.young.size() >= shard.half) {
    shard.old = std::move(shard.young);
    shard.young.clear();
  }
  shard.young.emplace(event.id, Known{event.sig, event.created_at});
}

}  // namespace ipnscast::nostr
