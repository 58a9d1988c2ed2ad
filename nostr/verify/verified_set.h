#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "ipnscast/nostr/event/event.h"

namespace ipnscast::nostr {

// What has been verified lately, so that further copies of an event cost little: by its id the
// signature that held. Only successes are remembered, and by a computed id, so that no forged copy
// can hide the real event. Bounded: the oldest half goes first. Thread-safe; several verification
// workers share one.
class VerifiedSet {
 public:
  struct Known {
    Signature sig;
    UnixSeconds created_at;
    bool same_text = false;  // the text asked about is, byte for byte, one kept for this event
  };

  // Remembers `capacity` events at most, of about 150 bytes each.
  explicit VerifiedSet(size_t capacity = 65536);
  ~VerifiedSet();
  VerifiedSet(const VerifiedSet&) = delete;
  VerifiedSet& operator=(const VerifiedSet&) = delete;

  // What is known of the event with this id, if anything. The id may be a claimed one: the answer
  // tells nothing about the event that claims it, unless `text`, its JSON object, is a kept one.
  std::optional<Known> find(const EventId& id, std::string_view text = {}) const;
  // True when this signature over this id, which the caller has computed, was verified.
  bool holds(const EventId& computed_id, const Signature& sig) const;
  // To be called only after id and signature of `event` were verified.
  void remember(const Event& event);
  // Keeps the text of a copy of a known event, for which id, signature and hash were found to be
  // the same: relays that run the same program send the same bytes, and comparing them is cheaper
  // than a hash. The first such text counts; 8 MiB in all, the oldest go first.
  void keep_text(const EventId& id, std::string_view text);

 private:
  struct Shard;
  static constexpr size_t kShards = 16;

  Shard& shard_of(const EventId& id) const;

  // constant after construction
  std::unique_ptr<Shard[]> shards_;
};

}  // namespace ipnscast::nostr
