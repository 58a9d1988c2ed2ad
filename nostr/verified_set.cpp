#include "nostr/verified_set.h"

#include <mutex>
#include <unordered_map>

#include "nostr/base/random.h"
#include "nostr/base/sha256.h"

namespace ipnscast::nostr {
namespace {

// A map of two generations: when the young one is full it becomes the old one, and the old one is
// forgotten.
template <typename Key, typename Value>
class RecentMap {
 public:
  void set_capacity(size_t capacity) { half_ = std::max<size_t>(1, capacity / 2); }

  const Value* find(const Key& key) const {
    if (const auto it = young_.find(key); it != young_.end()) return &it->second;
    if (const auto it = old_.find(key); it != old_.end()) return &it->second;
    return nullptr;
  }
  void set(const Key& key, const Value& value) {
    if (young_.size() >= half_ && !young_.contains(key)) {
      old_ = std::move(young_);
      young_.clear();
    }
    young_.insert_or_assign(key, value);
  }

 private:
  size_t half_ = 1;
  std::unordered_map<Key, Value> young_;
  std::unordered_map<Key, Value> old_;
};

}  // namespace

struct VerifiedSet::Shard {
  mutable std::mutex mutex;
  // guarded by mutex
  RecentMap<Fingerprint, Known> texts;
  RecentMap<EventId, Signature> signatures;
};

VerifiedSet::VerifiedSet(size_t capacity) : shards_(std::make_unique<Shard[]>(kShards)) {
  fill_random(key_);
  for (size_t i = 0; i < kShards; ++i) {
    shards_[i].texts.set_capacity(capacity / kShards);
    shards_[i].signatures.set_capacity(capacity / kShards);
  }
}

VerifiedSet::~VerifiedSet() = default;

VerifiedSet::Shard& VerifiedSet::text_shard(const Fingerprint& text) const {
  return shards_[text.bytes[15] % kShards];
}
VerifiedSet::Shard& VerifiedSet::id_shard(const EventId& id) const {
  return shards_[id.bytes[31] % kShards];
}

VerifiedSet::Fingerprint VerifiedSet::fingerprint(std::string_view event_text) const {
  return Fingerprint::from(sha256({key_, as_bytes(event_text)}));
}

std::optional<VerifiedSet::Known> VerifiedSet::find(const Fingerprint& text) const {
  const Shard& shard = text_shard(text);
  std::lock_guard lock(shard.mutex);
  const Known* known = shard.texts.find(text);
  return known != nullptr ? std::optional(*known) : std::nullopt;
}

bool VerifiedSet::holds(const EventId& computed_id, const Signature& sig) const {
  const Shard& shard = id_shard(computed_id);
  std::lock_guard lock(shard.mutex);
  const Signature* known = shard.signatures.find(computed_id);
  return known != nullptr && *known == sig;
}

void VerifiedSet::remember(const Fingerprint& text, const Event& event) {
  {
    Shard& shard = text_shard(text);
    std::lock_guard lock(shard.mutex);
    shard.texts.set(text, {event.id, event.created_at});
  }
  Shard& shard = id_shard(event.id);
  std::lock_guard lock(shard.mutex);
  shard.signatures.set(event.id, event.sig);
}

}  // namespace ipnscast::nostr
