#include "ipnscast/nostr/nip/negentropy.h"

#include <algorithm>
#include <iterator>

#include "ipnscast/nostr/base/sha256.h"
#include "ipnscast/nostr/nip/negentropy_wire.h"

namespace ipnscast::nostr {
namespace {

using namespace negentropy;

constexpr size_t kMinMessageBytes = 4096;
// Kept free for what ends a message that is full: a skip, one list's head, one fingerprint.
constexpr size_t kReserve = 200;
// A range with fewer of our items than twice this is answered by their ids, another is split.
constexpr size_t kBuckets = 16;

tl::unexpected<Error> malformed(const char* what) {
  return fail(Errc::parse, std::string("negentropy: ") + what);
}

// Sums modulo 2^256, least significant word first.
using Sum = std::array<uint64_t, 4>;

Sum little_endian(const EventId& id) {
  Sum out{};
  for (size_t i = 0; i < EventId::kSize; ++i) out[i / 8] |= uint64_t{id.bytes[i]} << (i % 8 * 8);
  return out;
}

Sum plus(const Sum& a, const Sum& b) {
  Sum out;
  uint64_t carry = 0;
  for (size_t i = 0; i < out.size(); ++i) {
    const uint64_t partial = a[i] + carry;
    out[i] = partial + b[i];
    carry = uint64_t{partial < carry} | uint64_t{out[i] < partial};
  }
  return out;
}

Sum minus(const Sum& a, const Sum& b) {
  Sum out;
  uint64_t borrow = 0;
  for (size_t i = 0; i < out.size(); ++i) {
    const uint64_t partial = a[i] - borrow;
    out[i] = partial - b[i];
    borrow = uint64_t{a[i] < borrow} | uint64_t{partial < b[i]};
  }
  return out;
}

// Where an initiator's findings go.
struct Differences {
  std::vector<EventId>& have;
  std::vector<EventId>& need;
  std::set<EventId>& both;
  size_t max_ids = 0;

  // Adds to one of the two what is in `a` only, once. Both are sorted.
  void add(std::vector<EventId>& to, const std::vector<EventId>& a, const std::vector<EventId>& b) {
    std::vector<EventId> only;
    std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(only));
    for (const EventId& id : only) {
      if (both.insert(id).second) to.push_back(id);
    }
  }
};

std::vector<EventId> sorted_ids(std::span<const NegentropyItem> items) {
  std::vector<EventId> out;
  out.reserve(items.size());
  for (const NegentropyItem& item : items) out.push_back(item.id);
  std::sort(out.begin(), out.end());
  return out;
}

Result<std::vector<EventId>> read_ids(Reader& reader) {
  const auto count = reader.varint();
  if (!count || *count > reader.left() / EventId::kSize) return malformed("an id list is cut off");
  const ByteView bytes = *reader.bytes(*count * EventId::kSize);
  std::vector<EventId> out;
  out.reserve(*count);
  for (size_t at = 0; at < bytes.size(); at += EventId::kSize)
    out.push_back(EventId::from(bytes.subspan(at, EventId::kSize)));
  return out;
}

// Our items [lower, upper), which reach up to `bound`: fingerprints of equal parts, or their ids
// when they are few.
void write_split(Writer& writer, const NegentropySet& ours, size_t lower, size_t upper,
                 const Bound& bound) {
  const std::span items(ours.items());
  const size_t count = upper - lower;
  if (count < 2 * kBuckets) return writer.id_list(bound, items.subspan(lower, count));
  size_t at = lower;
  for (size_t i = 0; i < kBuckets; ++i) {
    const size_t next = at + count / kBuckets + (i < count % kBuckets ? 1 : 0);
    writer.fingerprint(next == upper ? bound : Bound::between(items[next - 1], items[next]),
                       ours.fingerprint(at, next));
    at = next;
  }
}

// One message read, one written; both sides do the same but for what an id list means to them.
class Exchange {
 public:
  // `found` is null on the responder's side.
  Exchange(const NegentropySet& ours, const NegentropyLimits& limits, Differences* found)
      : ours_(ours),
        found_(found),
        budget_(std::max(limits.max_message_bytes, kMinMessageBytes) - kReserve) {}

  // `ranges`: the message after its version byte.
  Result<Bytes> run(ByteView ranges) {
    Reader reader(ranges);
    while (!reader.at_end() && !full_) {
      const auto bound = reader.bound();
      if (!bound) return malformed("a bound is cut off, too long or out of order");
      if (Status taken = take_range(reader, *bound); !taken) return fail(taken.error());
    }
    if (full_) defer_rest();
    return writer_.take();
  }

 private:
  Status take_range(Reader& reader, const Bound& bound) {
    const auto& items = ours_.items();
    const auto from = items.begin() + static_cast<std::ptrdiff_t>(at_);
    const auto upper =
        static_cast<size_t>(std::lower_bound(from, items.end(), bound, is_below) - items.begin());
    const auto mode = reader.varint();
    if (mode == static_cast<uint64_t>(Mode::skip)) {
      pass(bound, upper);
    } else if (mode == static_cast<uint64_t>(Mode::fingerprint)) {
      const auto theirs = reader.bytes(NegentropySet::Fingerprint().size());
      if (!theirs) return malformed("a fingerprint is cut off");
      const auto own = ours_.fingerprint(at_, upper);
      if (std::equal(own.begin(), own.end(), theirs->begin())) {
        pass(bound, upper);
      } else {
        split(bound, upper);
      }
    } else if (mode == static_cast<uint64_t>(Mode::id_list)) {
      auto theirs = read_ids(reader);
      if (!theirs) return fail(theirs.error());
      if (found_ == nullptr) {
        list(bound, upper);
      } else {
        if (Status noted = note(std::move(*theirs), upper); !noted) return noted;
        pass(bound, upper);
      }
    } else {
      return malformed("a mode is none of skip, fingerprint and id list");
    }
    return {};
  }

  // Nothing to say about the range. It is written only when something follows.
  void pass(const Bound& bound, size_t upper) {
    passed_ = bound;
    at_ = upper;
  }
  void write_passed() {
    if (passed_) writer_.skip(*passed_);
    passed_.reset();
  }

  // Answers a range in which the two differ.
  void split(const Bound& bound, size_t upper) {
    const auto passed = passed_;
    const Writer::Mark before = writer_.mark();
    write_passed();
    write_split(writer_, ours_, at_, upper, bound);
    if (writer_.size() > budget_) {
      writer_.rewind(before);
      passed_ = passed;
      full_ = true;
      return;
    }
    at_ = upper;
  }

  // Answers the ids of a range by our own in it, as many as there is room for.
  void list(const Bound& bound, size_t upper) {
    const size_t room = budget_ > writer_.size() ? (budget_ - writer_.size()) / EventId::kSize : 0;
    const size_t count = std::min(room, upper - at_);
    full_ = count < upper - at_ || writer_.size() > budget_;
    if (full_ && count == 0) return;
    write_passed();
    const std::span items(ours_.items());
    writer_.id_list(full_ ? Bound::before(items[at_ + count]) : bound, items.subspan(at_, count));
    at_ += count;
  }

  Status note(std::vector<EventId> theirs, size_t upper) {
    std::sort(theirs.begin(), theirs.end());
    theirs.erase(std::unique(theirs.begin(), theirs.end()), theirs.end());
    const auto own = sorted_ids(std::span(ours_.items()).subspan(at_, upper - at_));
    found_->add(found_->have, own, theirs);
    found_->add(found_->need, theirs, own);
    if (std::max(found_->have.size(), found_->need.size()) > found_->max_ids) {
      return fail(Errc::too_large, "negentropy: the sets differ in more than " +
                                       std::to_string(found_->max_ids) + " ids");
    }
    return {};
  }

  // The message is full: one fingerprint stands for all that was not answered.
  void defer_rest() {
    write_passed();
    writer_.fingerprint(Bound::infinity(), ours_.fingerprint(at_, ours_.size()));
  }

  const NegentropySet& ours_;
  Differences* const found_;
  const size_t budget_;

  Writer writer_;
  size_t at_ = 0;                // our first item that is not yet dealt with
  std::optional<Bound> passed_;  // up to here nothing is to be said, which is not yet written
  bool full_ = false;
};

}  // namespace

NegentropySet::Fingerprint NegentropySet::fingerprint(size_t lower, size_t upper) const {
  Bytes text;
  for (const uint64_t word : minus(sums_[upper], sums_[lower])) {
    for (int shift = 0; shift < 64; shift += 8) text.push_back(static_cast<uint8_t>(word >> shift));
  }
  append_varint(text, upper - lower);
  const Digest32 digest = sha256(text);
  Fingerprint out;
  std::copy_n(digest.begin(), out.size(), out.begin());
  return out;
}

Result<NegentropySet> NegentropySet::seal(std::vector<NegentropyItem> items, size_t max_items) {
  if (items.size() > max_items) {
    return fail(Errc::too_large,
                "negentropy: more than " + std::to_string(max_items) + " events in the set");
  }
  std::sort(items.begin(), items.end());
  items.erase(std::unique(items.begin(), items.end()), items.end());
  if (!items.empty() && items.front().created_at.value < 0)
    return fail(Errc::invalid, "negentropy: created_at is before 1970");
  NegentropySet out;
  out.items_ = std::move(items);
  out.sums_.reserve(out.items_.size() + 1);
  for (const NegentropyItem& item : out.items_)
    out.sums_.push_back(plus(out.sums_.back(), little_endian(item.id)));
  return out;
}

Result<Bytes> negentropy_answer(const NegentropySet& ours, ByteView message,
                                const NegentropyLimits& limits) {
  if (message.size() > limits.max_received_bytes)
    return fail(Errc::too_large, "negentropy: the message is too large");
  if (message.empty() || (message[0] & 0xf0) != 0x60) return malformed("not a message");
  if (message[0] != kVersion) return Bytes{kVersion};
  return Exchange(ours, limits, nullptr).run(message.subspan(1));
}

Bytes NegentropyInitiator::start() {
  Writer writer;
  write_split(writer, ours_, 0, ours_.size(), Bound::infinity());
  return writer.take();
}

Result<std::optional<Bytes>> NegentropyInitiator::receive(ByteView message) {
  if (message.size() > limits_.max_received_bytes)
    return fail(Errc::too_large, "negentropy: the message is too large");
  if (message.empty()) return malformed("not a message");
  if (message[0] != kVersion)
    return fail(Errc::unsupported, "negentropy: the other side speaks another protocol version");
  if (++rounds_ > limits_.max_rounds)
    return fail(Errc::too_large, "negentropy: no end after " + std::to_string(rounds_) + " rounds");
  Differences found{have_, need_, found_, limits_.max_ids};
  auto next = Exchange(ours_, limits_, &found).run(message.subspan(1));
  if (!next) return fail(next.error());
  if (next->size() == 1) return std::nullopt;
  return std::move(*next);
}

}  // namespace ipnscast::nostr
