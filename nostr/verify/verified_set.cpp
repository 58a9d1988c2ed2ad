#include "ipnscast/nostr/verify/verified_set.h"

#include <deque>
#include <mutex>
#include <string>
#include <unordered_map>

namespace ipnscast::nostr {

// Events in two generations: when the young one is full it becomes the old one, and the old one is
// forgotten.
struct VerifiedSet::Shard {
  static constexpr size_t kTextBytes = 512 * 1024;
  static constexpr size_t kMaxTextBytes = 64 * 1024;
  static constexpr size_t kFew = 16;

  struct Place {
    Signature sig;
    UnixSeconds created_at;
    std::string text;  // may be empty
  };
  using Generation = std::unordered_map<EventId, Place>;
  struct Kept {
    EventId id;
    size_t bytes = 0;
  };

  Place* find(const EventId& id) {
    if (const auto it = young.find(id); it != young.end()) return &it->second;
    if (const auto it = old.find(id); it != old.end()) return &it->second;
    return nullptr;
  }
  void drop_oldest_text() {
    text_bytes -= kept.front().bytes;
    if (Place* const place = find(kept.front().id)) std::string().swap(place->text);
    kept.pop_front();
  }

  // constant after construction
  size_t half = 1;

  std::mutex mutex;
  // guarded by mutex
  Generation young;
  Generation old;
  std::deque<Kept> kept;  // the texts, the oldest first; some may be gone with their generation
  size_t text_bytes = 0;  // of these
};

VerifiedSet::VerifiedSet(size_t capacity) : shards_(std::make_unique<Shard[]>(kShards)) {
  for (size_t i = 0; i < kShards; ++i)
    shards_[i].half = std::max<size_t>(1, capacity / kShards / 2);
}

VerifiedSet::~VerifiedSet() = default;

VerifiedSet::Shard& VerifiedSet::shard_of(const EventId& id) const {
  return shards_[id.bytes[31] % kShards];
}

std::optional<VerifiedSet::Known> VerifiedSet::find(const EventId& id,
                                                    std::string_view text) const {
  Shard& shard = shard_of(id);
  std::lock_guard lock(shard.mutex);
  const auto* place = shard.find(id);
  if (place == nullptr) return std::nullopt;
  return Known{place->sig, place->created_at, !text.empty() && place->text == text};
}

bool VerifiedSet::holds(const EventId& computed_id, const Signature& sig) const {
  const auto known = find(computed_id);
  return known && known->sig == sig;
}

void VerifiedSet::remember(const Event& event) {
  Shard& shard = shard_of(event.id);
  std::lock_guard lock(shard.mutex);
  if (shard.young.size() >= shard.half) {
    shard.old = std::move(shard.young);
    shard.young.clear();
  }
  // Growing step by step would touch each event several times.
  if (shard.young.size() == Shard::kFew) shard.young.reserve(shard.half);
  // The first signature that held is as good as another.
  shard.young.try_emplace(event.id, Shard::Place{event.sig, event.created_at, {}});
}

void VerifiedSet::keep_text(const EventId& id, std::string_view text) {
  if (text.size() > Shard::kMaxTextBytes) return;
  Shard& shard = shard_of(id);
  std::lock_guard lock(shard.mutex);
  Shard::Place* const place = shard.find(id);
  if (place == nullptr || !place->text.empty()) return;
  while (shard.text_bytes + text.size() > Shard::kTextBytes) shard.drop_oldest_text();
  place->text = text;
  shard.kept.push_back({id, text.size()});
  shard.text_bytes += text.size();
}

}  // namespace ipnscast::nostr
