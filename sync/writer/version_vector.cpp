#include "ipnscast/sync/writer/version_vector.h"

#include <algorithm>

#include "ipnscast/nostr/base/sha256.h"
#include "ipnscast/sync/ipfs/ipld/dag_cbor.h"

namespace ipnscast::sync {
namespace {

// 32 entries of at most 29 bytes, and the heads of the lists.
constexpr size_t kMaxBytes = 1024;

std::optional<uint64_t> number_of(const CborValue& value) {
  const auto* number = value.as<uint64_t>();
  if (number == nullptr || *number > kMaxSequence) return std::nullopt;
  return *number;
}

}  // namespace

DeviceTag device_tag(const IpnsKey& key, std::string_view device_id) {
  const Digest32 digest = hmac_sha256(key.device_secret().view(), {as_bytes(device_id)});
  DeviceTag tag;
  std::copy_n(digest.begin(), tag.bytes.size(), tag.bytes.begin());
  return tag;
}

std::optional<VersionVector::Entry> VersionVector::of(const DeviceTag& tag) const {
  const auto it = entries_.find(tag);
  if (it == entries_.end()) return std::nullopt;
  return it->second;
}

void VersionVector::raise(const DeviceTag& tag, Entry entry) {
  auto& held = entries_[tag];
  if (entry.count >= held.count) held = entry;
  if (entries_.size() <= kMaxEntries) return;
  auto lowest = entries_.end();
  for (auto it = entries_.begin(); it != entries_.end(); ++it) {
    if (it->first == tag) continue;
    if (lowest == entries_.end() || it->second.sequence < lowest->second.sequence) lowest = it;
  }
  entries_.erase(lowest);
}

void VersionVector::merge(const VersionVector& other) {
  for (const auto& [tag, entry] : other.entries_) {
    auto& held = entries_[tag];
    if (entry.count > held.count || (entry.count == held.count && entry.sequence > held.sequence))
      held = entry;
  }
  while (entries_.size() > kMaxEntries) {
    entries_.erase(std::min_element(entries_.begin(), entries_.end(), [](auto& a, auto& b) {
      return a.second.sequence < b.second.sequence;
    }));
  }
}

void VersionVector::join(Sequence at, const VersionVector& other, Sequence other_at) {
  std::map<DeviceTag, Entry> both;
  for (const auto& [tag, entry] : entries_) {
    const auto theirs = other.of(tag);
    if (theirs || entry.sequence >= other_at)
      both.emplace(tag, std::max(entry, theirs.value_or(entry)));
  }
  for (const auto& [tag, entry] : other.entries_) {
    if (entry.sequence >= at) both.emplace(tag, entry);
  }
  entries_.clear();
  for (const auto& [tag, entry] : both) raise(tag, entry);
}

void VersionVector::forget_last() {
  const auto last = std::max_element(entries_.begin(), entries_.end(), [](auto& a, auto& b) {
    return a.second.sequence < b.second.sequence;
  });
  if (last != entries_.end()) last->second.count = 0;
}

std::optional<DeviceTag> VersionVector::writer_of(Sequence sequence) const {
  for (const auto& [tag, entry] : entries_) {
    if (entry.sequence == sequence) return tag;
  }
  return std::nullopt;
}

Bytes encode_vector(const VersionVector& vector) {
  CborList list;
  for (const auto& [tag, entry] : vector.entries()) {
    const Bytes bytes(tag.bytes.begin(), tag.bytes.end());
    list.push_back({CborList{{bytes}, {entry.count}, {entry.sequence.value}}});
  }
  return encode_dag_cbor({std::move(list)});
}

std::optional<VersionVector> decode_vector(ByteView bytes) {
  if (bytes.size() > kMaxBytes) return std::nullopt;
  constexpr size_t kItems = 1 + 4 * VersionVector::kMaxEntries;
  const auto value = decode_dag_cbor(bytes, {.depth = 3, .items = kItems, .canonical = true});
  const auto* list = value ? value->as<CborList>() : nullptr;
  if (list == nullptr || list->size() > VersionVector::kMaxEntries) return std::nullopt;
  VersionVector out;
  std::optional<DeviceTag> before;
  for (const CborValue& item : *list) {
    const auto* entry = item.as<CborList>();
    if (entry == nullptr || entry->size() != 3) return std::nullopt;
    const auto* raw = (*entry)[0].as<Bytes>();
    const auto count = number_of((*entry)[1]);
    const auto sequence = number_of((*entry)[2]);
    DeviceTag tag;
    if (raw == nullptr || raw->size() != tag.bytes.size() || !count || !sequence)
      return std::nullopt;
    std::copy(raw->begin(), raw->end(), tag.bytes.begin());
    if (before && !(*before < tag)) return std::nullopt;
    before = tag;
    out.raise(tag, {*count, {*sequence}});
  }
  return out;
}

std::optional<VersionVector> vector_of(const IpnsRecord::Fields& fields) {
  const auto it = fields.extra.find(kVectorKey);
  if (it == fields.extra.end()) return std::nullopt;
  return decode_vector(it->second);
}

}  // namespace ipnscast::sync
