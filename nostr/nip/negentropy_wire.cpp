#include "ipnscast/nostr/nip/negentropy_wire.h"

#include <cstring>

namespace ipnscast::nostr::negentropy {

Bound Bound::before(const NegentropyItem& item) {
  return {static_cast<uint64_t>(item.created_at.value), EventId::kSize, item.id};
}

Bound Bound::between(const NegentropyItem& a, const NegentropyItem& b) {
  Bound out{static_cast<uint64_t>(b.created_at.value), 0, {}};
  if (a.created_at != b.created_at) return out;
  const auto differ =
      std::mismatch(a.id.bytes.begin(), a.id.bytes.end(), b.id.bytes.begin()).second;
  out.id_bytes = std::min<size_t>(differ - b.id.bytes.begin() + 1, EventId::kSize);
  std::copy_n(b.id.bytes.begin(), out.id_bytes, out.id.bytes.begin());
  return out;
}

int compare(const Bound& a, const Bound& b) {
  if (a.timestamp != b.timestamp) return a.timestamp < b.timestamp ? -1 : 1;
  return std::memcmp(a.id.bytes.data(), b.id.bytes.data(), EventId::kSize);
}

bool is_below(const NegentropyItem& item, const Bound& bound) {
  return compare(Bound::before(item), bound) < 0;
}

void append_varint(Bytes& out, uint64_t value) {
  int shift = 0;
  while (shift < 63 && (value >> (shift + 7)) != 0) shift += 7;
  for (; shift > 0; shift -= 7)
    out.push_back(static_cast<uint8_t>(0x80 | ((value >> shift) & 0x7f)));
  out.push_back(static_cast<uint8_t>(value & 0x7f));
}

std::optional<uint64_t> Reader::varint() {
  uint64_t out = 0;
  for (size_t i = 0; i < rest_.size(); ++i) {
    const uint8_t digit = rest_[i];
    if ((i == 0 && digit == 0x80) || (out >> 57) != 0) break;
    out = (out << 7) | (digit & 0x7f);
    if ((digit & 0x80) != 0) continue;
    rest_ = rest_.subspan(i + 1);
    return out;
  }
  return std::nullopt;
}

std::optional<ByteView> Reader::bytes(size_t count) {
  if (count > rest_.size()) return std::nullopt;
  const ByteView out = rest_.first(count);
  rest_ = rest_.subspan(count);
  return out;
}

std::optional<Bound> Reader::bound() {
  const auto timestamp = varint();
  const auto id_bytes = timestamp ? varint() : std::nullopt;
  if (!id_bytes || *id_bytes > EventId::kSize) return std::nullopt;
  const auto id = bytes(*id_bytes);
  if (!id) return std::nullopt;
  Bound out{kInfinity, id->size(), EventId::from(*id)};
  // A sum past the end counts as infinity, as in other implementations.
  if (*timestamp != 0 && *timestamp - 1 <= kInfinity - last_.timestamp)
    out.timestamp = last_.timestamp + (*timestamp - 1);
  if (compare(out, last_) < 0) return std::nullopt;
  last_ = out;
  return out;
}

void Writer::range(const Bound& upper, Mode mode) {
  if (upper.timestamp == kInfinity) {
    append_varint(out_, 0);
  } else {
    append_varint(out_, upper.timestamp - last_timestamp_ + 1);
  }
  last_timestamp_ = upper.timestamp;
  append_varint(out_, upper.id_bytes);
  append(out_, upper.id.view().first(upper.id_bytes));
  append_varint(out_, static_cast<uint64_t>(mode));
}

void Writer::rewind(const Mark& mark) {
  out_.resize(mark.size);
  last_timestamp_ = mark.last_timestamp;
}

void Writer::skip(const Bound& upper) { range(upper, Mode::skip); }

void Writer::fingerprint(const Bound& upper, const NegentropySet::Fingerprint& value) {
  range(upper, Mode::fingerprint);
  append(out_, value);
}

void Writer::id_list(const Bound& upper, std::span<const NegentropyItem> items) {
  range(upper, Mode::id_list);
  append_varint(out_, items.size());
  for (const NegentropyItem& item : items) append(out_, item.id.view());
}

}  // namespace ipnscast::nostr::negentropy
