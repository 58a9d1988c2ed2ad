#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/sync/ipfs/ipns/ipns_key.h"

namespace ipnscast::sync {

// A sequence number of a record; below 2^63.
struct Sequence {
  uint64_t value = 0;
  auto operator<=>(const Sequence&) const = default;
};
inline constexpr uint64_t kMaxSequence = (uint64_t{1} << 63) - 1;

// A record's end of life, compared as time.
struct Eol {
  int64_t seconds = 0;  // since 1970
  int32_t nanoseconds = 0;
  auto operator<=>(const Eol&) const = default;

  // RFC 3339 with any offset and any number of fractional digits, those after the ninth dropped:
  // the same texts as Go's time.Parse, which boxo asks. Errc::parse.
  static Result<Eol> parse(std::string_view text);
  std::string to_string() const;  // in UTC, trailing zeros trimmed, as Go writes it
  static Eol after(UnixMillis now, std::chrono::nanoseconds lifetime);
};

// Why a record was refused: the words of `record inspect`.
enum class RecordFault { size, decode, name, key, signature, mismatch, expired, type, ttl };
std::string_view to_string(RecordFault fault);

// A signed IPNS record (IPNS record spec, "Record Serialization Format"). Values are those of the
// signed CBOR data, never of the legacy V1 copies.
class IpnsRecord {
 public:
  static constexpr size_t kMaxBytes = 10240;
  static constexpr const char* kMediaType = "application/vnd.ipfs.ipns-record";

  struct Fields {
    std::string value;  // "/ipfs/...", "/ipns/..."; a legacy binary CID reads as "/ipfs/<cid>",
                        // empty as "/ipfs/bafkqaaa"
    Sequence sequence;
    Eol eol;
    std::optional<uint64_t> ttl_ns;  // nothing where the record gives none, or one beyond 2^63 - 1
    std::map<std::string, Bytes> extra;  // further members of the data map, as their CBOR bytes
  };

  const Fields& fields() const { return fields_; }
  const Bytes& bytes() const { return bytes_; }  // as received or created
  const Bytes& data() const { return data_; }    // the signed CBOR
  const Bytes& signature() const { return signature_; }
  KeyType key_type() const { return key_type_; }
  bool expired(UnixMillis now) const;
  // How long it may be cached: its TTL, or a minute where it gives none, as boxo has it.
  uint64_t cacheable_ns() const;

 private:
  friend struct RecordCodec;
  Bytes bytes_;
  Bytes data_;
  Bytes signature_;
  Fields fields_;
  KeyType key_type_ = KeyType::ed25519;
};

struct RecordError {
  RecordFault fault = RecordFault::decode;
  std::string message;
  // For an expired record that is otherwise sound: the record itself, so that a policy can decide.
  std::optional<IpnsRecord> expired_record;
};

// The whole of "Record Verification": size, V2 signature by the name's key, equality of the V1
// copies, validity, TTL. The verdict is boxo's, with four exceptions: a Value that leads nowhere or
// holds control characters or bytes that are no UTF-8, a Sequence below 0 or above 2^63 - 1, and a
// TTL below 0 (as boxo has it from 0.43 on) are refused. Thread-safe.
tl::expected<IpnsRecord, RecordError> verify_record(const IpnsName& name, ByteView bytes,
                                                    UnixMillis now);

// Splits a record without checking it, for `record inspect` and bug reports. nullopt when it does
// not decode.
std::optional<IpnsRecord::Fields> peek_record(ByteView bytes);

struct RecordOptions {
  std::string value{};  // "/ipfs/..." or "/ipns/..."
  Sequence sequence{};
  Eol eol{};
  std::chrono::nanoseconds ttl = std::chrono::minutes(5);
  bool v1 = true;                        // also the legacy V1 fields, as Kubo writes by default
  std::map<std::string, Bytes> extra{};  // name to CBOR bytes; names should start with '_'
};
// Errc::invalid for a value that is no path, a sequence or TTL beyond 2^63 - 1; Errc::too_large
// beyond 10 KiB.
Result<IpnsRecord> create_record(const IpnsKey& key, const RecordOptions& options);

// True when `a` wins over `b` on every device: higher sequence, then later EOL, then greater signed
// data bytes.
bool better(const IpnsRecord& a, const IpnsRecord& b);

}  // namespace ipnscast::sync
