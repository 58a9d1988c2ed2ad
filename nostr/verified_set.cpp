#include "nostr/verified_set.h"

#include <mutex>
#include <unordered_map>

#include "nostr/base/random.h"
#include "nostr/base/sha256.h"

namespace ipnscast::nostr {
namespace {

// Relays of different software write the same event differently; of each event so many texts are
// kept.
constexpr size_t kTexts = 3;

}  // namespace

// Events in two generations: when the young one is full it becomes the old one, and the old one is
// forgotten.
struct VerifiedSet::Shard {
  struct Known {
    Signature sig;
    UnixSeconds created_at;
    std::array<Fingerprint, kTexts> texts{};
    uint64_t added = 0;  // texts so far; the last kTexts are kept
  };
  using Generation = std::unordered_map<EventId, Known>;

  Known* find(const EventId& id) {
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
  fill_random(key_);
  for (size_t i = 0; i < kShards; ++i)
    shards_[i].half = std::max<size_t>(1, capacity / kShards / 2);
}

VerifiedSet::~VerifiedSet() = default;

VerifiedSet::Shard& VerifiedSet::shard_of(const EventId& id) const {
  return shards_[id.bytes[31] % kShards];
}

VerifiedSet::Fingerprint VerifiedSet::fingerprint(std::string_view text) const {
  return Fingerprint::from(sha256({key_, as_bytes(text)}));
}

std::optional<UnixSeconds> VerifiedSet::find_text(const EventId& claimed,
                                                  std::string_view text) const {
  Shard& shard = shard_of(claimed);
  {
    // Most events are new: those cost a look-up and no hash.
    std::lock_guard lock(shard.mutex);
    const auto* known = shard.find(claimed);
    if (known == nullptr || known->added == 0) return std::nullopt;
  }
  const Fingerprint wanted = fingerprint(text);
  std::lock_guard lock(shard.mutex);
  const auto* known = shard.find(claimed);
  if (known == nullptr) return std::nullopt;
  const auto end =
      known->texts.begin() + static_cast<ptrdiff_t>(std::min<uint64_t>(known->added, kTexts));
  return std::find(known->texts.begin(), end, wanted) == end ? std::nullopt
                                                             : std::optional(known->created_at);
}

bool VerifiedSet::holds(const EventId& computed_id, const Signature& sig) const {
  Shard& shard = shard_of(computed_id);
  std::lock_guard lock(shard.mutex);
  const auto* known = shard.find(computed_id);
  return known != nullptr && known->sig == sig;
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
  shard.young.emplace(event.id, Shard::Known{event.sig, event.created_at, {}, 0});
}

void VerifiedSet::remember_text(const EventId& computed_id, std::string_view text) {
  const Fingerprint seen = fingerprint(text);
  Shard& shard = shard_of(computed_id);
  std::lock_guard lock(shard.mutex);
  auto* known = shard.find(computed_id);
  if (known == nullptr) return;
  known->texts[known->added % kTexts] = seen;
  ++known->added;
}

}  // namespace ipnscast::nostr
