#pragma once

#include <array>
#include <map>
#include <optional>
#include <string_view>

#include "ipnscast/sync/ipfs/ipns/ipns_key.h"
#include "ipnscast/sync/ipfs/ipns/ipns_record.h"

namespace ipnscast::sync {

// Stands for a device in public: whoever does not hold the record's key cannot tell which one it
// is, nor whether two names are written by the same one.
struct DeviceTag {
  std::array<uint8_t, 8> bytes{};
  auto operator<=>(const DeviceTag&) const = default;
};

// The first 8 bytes of HMAC-SHA256 over the device id. The key is HKDF-SHA256 (no salt, info
// "ipnscast-device-tag-v1") of the record key's secret.
DeviceTag device_tag(const IpnsKey& key, std::string_view device_id);

// Which publishes of which devices a version contains. A device counts its publishes of a name, and
// an entry says: "everything up to this count, and that one had this sequence". A record's vector
// belongs to its version: a renewal carries it unchanged.
class VersionVector {
 public:
  static constexpr size_t kMaxEntries = 32;
  struct Entry {
    uint64_t count = 0;
    Sequence sequence;
    auto operator<=>(const Entry&) const = default;
  };

  // Nothing: the vector cannot tell, as the entry was never there or had to make room.
  std::optional<Entry> of(const DeviceTag& tag) const;
  // A lower count than there is does nothing. Beyond kMaxEntries the entry with the lowest sequence
  // goes; that is never the new one.
  void raise(const DeviceTag& tag, Entry entry);
  // Another record of the same version says more: the higher count of each device.
  void merge(const VersionVector& other);
  // A version is made of this one, which has sequence `at`, and another. The higher count of those
  // that both speak of: where one of them cannot tell, nothing can be told of both, unless the
  // entry is as late as the one without it, which then contains nothing later.
  void join(Sequence at, const VersionVector& other, Sequence other_at);
  // Nothing of the device that wrote last is contained, so that it sees that its version was
  // replaced and not built upon.
  void forget_last();
  // Whose publish the version of this sequence is. Nothing: nobody that is counted here.
  std::optional<DeviceTag> writer_of(Sequence sequence) const;

  const std::map<DeviceTag, Entry>& entries() const { return entries_; }
  bool operator==(const VersionVector&) const = default;

 private:
  std::map<DeviceTag, Entry> entries_;
};

// The member of a record's signed data that carries it (IPNS record spec, "Extensible Data").
// DAG-CBOR: [[tag (8 bytes), count, sequence], ...], in ascending order of the tags.
inline constexpr char kVectorKey[] = "_vv";

Bytes encode_vector(const VersionVector& vector);
// Strict: another form, a tag twice or out of order, more than kMaxEntries or bytes that are not
// canonical give nothing, as does a count or sequence of 2^63 and above.
std::optional<VersionVector> decode_vector(ByteView bytes);
// Nothing: the record has none that holds.
std::optional<VersionVector> vector_of(const IpnsRecord::Fields& fields);

}  // namespace ipnscast::sync
