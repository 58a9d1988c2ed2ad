#pragma once

#include <array>
#include <memory>
#include <optional>

#include "nostr/event.h"

namespace ipnscast::nostr {

// What has been verified lately, so that further copies cost little: events by their exact text,
// and signatures by the id they sign. Only successes are remembered, and by a computed id, so that
// no forged copy can hide the real event. Bounded: the oldest half goes first. Thread-safe; several
// verification workers share one.
class VerifiedSet {
 public:
  // A hash of an event's exact text under a key of this set: nobody outside can construct two texts
  // that share it.
  using Fingerprint = FixedBytes<16, struct FingerprintTag>;

  struct Known {
    EventId id;
    UnixSeconds created_at;
  };

  // Remembers `capacity` events at most, of about 250 bytes each.
  explicit VerifiedSet(size_t capacity = 65536);
  ~VerifiedSet();
  VerifiedSet(const VerifiedSet&) = delete;
  VerifiedSet& operator=(const VerifiedSet&) = delete;

  Fingerprint fingerprint(std::string_view event_text) const;
  // The verified event that this very text was.
  std::optional<Known> find(const Fingerprint& text) const;
  // True when this signature over this id, which the caller has computed, was verified.
  bool holds(const EventId& computed_id, const Signature& sig) const;
  // To be called only after id and signature of `event` were verified.
  void remember(const Fingerprint& text, const Event& event);

 private:
  struct Shard;
  static constexpr size_t kShards = 16;

  Shard& text_shard(const Fingerprint& text) const;
  Shard& id_shard(const EventId& id) const;

  // constant after construction
  std::array<uint8_t, 64> key_{};
  std::unique_ptr<Shard[]> shards_;
};

}  // namespace ipnscast::nostr
