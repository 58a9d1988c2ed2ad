#pragma once

#include <array>
#include <memory>

#include "nostr/event.h"

namespace ipnscast::nostr {

// What has been verified lately, so that further copies of an event cost little: by its id the
// signature that held, and the exact texts it came in. Only successes are remembered, and by a
// computed id, so that no forged copy can hide the real event. Bounded: the oldest half goes first.
// Thread-safe; several verification workers share one.
class VerifiedSet {
 public:
  // Remembers `capacity` events at most, of about 250 bytes each.
  explicit VerifiedSet(size_t capacity = 65536);
  ~VerifiedSet();
  VerifiedSet(const VerifiedSet&) = delete;
  VerifiedSet& operator=(const VerifiedSet&) = delete;

  // The created_at of a verified event that came in exactly this text. `claimed` is the id that the
  // text seems to have: a wrong one only makes the answer nothing.
  std::optional<UnixSeconds> find_text(const EventId& claimed, std::string_view text) const;
  // True when this signature over this id, which the caller has computed, was verified.
  bool holds(const EventId& computed_id, const Signature& sig) const;
  // To be called only after id and signature of `event` were verified.
  void remember(const Event& event);
  // Adds the text of a further copy, whose id was computed and whose signature holds.
  void remember_text(const EventId& computed_id, std::string_view text);

 private:
  struct Shard;
  // A hash of a text under a key of this set: nobody outside can construct two texts that share it.
  using Fingerprint = FixedBytes<16, struct FingerprintTag>;
  static constexpr size_t kShards = 16;

  Fingerprint fingerprint(std::string_view text) const;
  Shard& shard_of(const EventId& id) const;

  // constant after construction
  std::array<uint8_t, 64> key_{};
  std::unique_ptr<Shard[]> shards_;
};

}  // namespace ipnscast::nostr
