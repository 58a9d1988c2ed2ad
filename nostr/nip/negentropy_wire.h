#pragma once

#include <limits>

#include "ipnscast/nostr/nip/negentropy.h"

// How negentropy's messages are written, protocol version 1:
//
//   message := 0x61 range*
//   range   := bound mode payload          up to, not including, the bound; adjacent, ascending
//   bound   := varint(timestamp) varint(n) byte{n}
//                timestamp: 0 is infinity, else 1 + the difference from the one before
//                n <= 32 bytes of an id; those left out are 0
//   mode    := 0 (skip) | 1 (fingerprint: byte{16}) | 2 (id list: varint(count) byte{32}*)
//   varint  := base 128, most significant digit first, bit 7 set on all but the last, no leading 0
namespace ipnscast::nostr::negentropy {

constexpr uint8_t kVersion = 0x61;
constexpr uint64_t kInfinity = std::numeric_limits<uint64_t>::max();

enum class Mode : uint64_t { skip = 0, fingerprint = 1, id_list = 2 };

// The upper end of a range: everything that sorts below (timestamp, id padded with 0).
struct Bound {
  uint64_t timestamp = 0;
  size_t id_bytes = 0;
  EventId id;

  static Bound infinity() { return {kInfinity, 0, {}}; }
  // The whole item.
  static Bound before(const NegentropyItem& item);
  // The shortest one that separates the two; a < b.
  static Bound between(const NegentropyItem& a, const NegentropyItem& b);
};
// Negative when `a` is below `b`, 0 when they bound the same.
int compare(const Bound& a, const Bound& b);
bool is_below(const NegentropyItem& item, const Bound& bound);

void append_varint(Bytes& out, uint64_t value);

// Takes one message apart. After the first failure every read gives nothing.
class Reader {
 public:
  explicit Reader(ByteView message) : rest_(message) {}

  bool at_end() const { return rest_.empty(); }
  size_t left() const { return rest_.size(); }
  std::optional<uint64_t> varint();
  std::optional<ByteView> bytes(size_t count);
  // Not below the one before it.
  std::optional<Bound> bound();

 private:
  ByteView rest_;
  Bound last_;
};

// Writes one message.
class Writer {
 public:
  Writer() : out_{kVersion} {}

  size_t size() const { return out_.size(); }
  void skip(const Bound& upper);
  void fingerprint(const Bound& upper, const NegentropySet::Fingerprint& value);
  void id_list(const Bound& upper, std::span<const NegentropyItem> items);
  Bytes take() { return std::move(out_); }

  // A place to go back to, when what was written since turns out too long.
  struct Mark {
    size_t size = 0;
    uint64_t last_timestamp = 0;
  };
  Mark mark() const { return {out_.size(), last_timestamp_}; }
  void rewind(const Mark& mark);

 private:
  void range(const Bound& upper, Mode mode);

  Bytes out_;
  uint64_t last_timestamp_ = 0;
};

}  // namespace ipnscast::nostr::negentropy
