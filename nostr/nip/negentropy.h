#pragma once

#include <array>
#include <optional>
#include <set>
#include <vector>

#include "ipnscast/nostr/event/event.h"

// Range-based set reconciliation, protocol version 1 (byte 0x61), as NIP-77 carries it: two sides
// that each hold a set of (created_at, id) find out what the other lacks, with traffic that grows
// with the difference. Pure: messages in, messages out; bytes here, hex inside the NEG-* frames.
//
//   initiator (a client)                         responder (a relay)
//     start()                -- NEG-OPEN -->       negentropy_answer(set, message)
//     receive(message)       <-- NEG-MSG --
//     ... until receive() gives no next message; then have() and need() are complete.
namespace ipnscast::nostr {

struct NegentropyItem {
  UnixSeconds created_at;
  EventId id;
  auto operator<=>(const NegentropyItem&) const = default;
};

struct NegentropyLimits {
  // Of one message that we write, in bytes before hex: 4096 at least, smaller values count as 4096.
  // What is left over continues in the next message.
  size_t max_message_bytes = 60'000;
  // Of one message that we read, in bytes before hex.
  size_t max_received_bytes = 1024 * 1024;
  // Initiator: ids in have() and in need(), each. A hostile responder can name ids without end.
  size_t max_ids = 1'000'000;
  // Initiator: messages received. An honest responder needs a few, plus one per
  // `max_message_bytes` of differing ids.
  size_t max_rounds = 10'000;
};

// A set that no longer changes, with what makes the fingerprint of any range cheap: 72 bytes an
// item. Thread-safe to read.
class NegentropySet {
 public:
  static constexpr size_t kDefaultMaxItems = 1'000'000;

  NegentropySet() = default;
  // Sorts, drops what is there twice. Errc::too_large for more than `max_items`, Errc::invalid for
  // a created_at below 0.
  static Result<NegentropySet> seal(std::vector<NegentropyItem> items,
                                    size_t max_items = kDefaultMaxItems);

  const std::vector<NegentropyItem>& items() const { return items_; }
  size_t size() const { return items_.size(); }

  using Fingerprint = std::array<uint8_t, 16>;
  // Of the items [lower, upper) by position: SHA-256(sum of the ids as little-endian numbers modulo
  // 2^256 || varint count), its first 16 bytes.
  Fingerprint fingerprint(size_t lower, size_t upper) const;

 private:
  using Sum = std::array<uint64_t, 4>;  // least significant first

  std::vector<NegentropyItem> items_;
  std::vector<Sum> sums_{Sum{}};  // sums_[i]: of the first i ids
};

// The responder's whole part: the answer to one message. It keeps nothing between messages. A
// message of another protocol version gets the one byte of ours, as the protocol says. Errc::parse
// for a malformed one, Errc::too_large.
Result<Bytes> negentropy_answer(const NegentropySet& ours, ByteView message,
                                const NegentropyLimits& limits = {});

// The initiator of one reconciliation. One thread at a time; `ours` outlives it.
class NegentropyInitiator {
 public:
  explicit NegentropyInitiator(const NegentropySet& ours, const NegentropyLimits& limits = {})
      : ours_(ours), limits_(limits) {}

  // The first message.
  Bytes start();

  // Takes the responder's answer: the next message to send, or nothing when the two have finished.
  // After an error the reconciliation is over; what is in have() and need() so far still holds.
  // Errc::parse, Errc::unsupported for another protocol version, Errc::too_large for a bound of
  // NegentropyLimits.
  Result<std::optional<Bytes>> receive(ByteView message);

  // Ids that only we have, as found so far, each once.
  const std::vector<EventId>& have() const { return have_; }
  // Ids that the responder claims to have and that we lack, each once. A responder that misbehaves
  // may name one that we have at another time, or one that nobody has.
  const std::vector<EventId>& need() const { return need_; }

 private:
  // constant after construction
  const NegentropySet& ours_;
  const NegentropyLimits limits_;

  size_t rounds_ = 0;
  std::vector<EventId> have_;
  std::vector<EventId> need_;
  // In either. What does not fit into a message is deferred as one range to the end, so that what
  // was told there before is told again. Ordered, because a responder can choose ids that collide
  // in a hash.
  std::set<EventId> found_;
};

}  // namespace ipnscast::nostr
