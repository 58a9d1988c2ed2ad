#include "ipnscast/sync/ipfs/ipns/ipns_record.h"

#include <algorithm>
#include <tuple>

#include "ipnscast/sync/ipfs/ipld/cid.h"
#include "ipnscast/sync/ipfs/ipld/dag_cbor.h"
#include "ipnscast/sync/ipfs/ipld/protobuf.h"
#include "ipnscast/sync/ipfs/ipld/utf8.h"

namespace ipnscast::sync {
namespace {

constexpr std::string_view kSignedPrefix = "ipns-signature:";
constexpr std::string_view kValidityTypeName =
    "EOL";  // what the legacy signature covers for validityType 0
constexpr std::string_view kEmptyValue = "/ipfs/bafkqaaa";
constexpr uint64_t kUnstatedTtlNs = 60'000'000'000;

// Field numbers of IpnsEntry.
enum EntryField : uint32_t {
  kEntryValue = 1,
  kEntrySignatureV1 = 2,
  kEntryValidityType = 3,
  kEntryValidity = 4,
  kEntrySequence = 5,
  kEntryTtl = 6,
  kEntryPublicKey = 7,
  kEntrySignatureV2 = 8,
  kEntryData = 9,
};

// The protobuf as it came; absent members are empty or zero, as protobuf has it. Views into the
// input.
struct Entry {
  ByteView value, signature_v1, validity, public_key, signature_v2, data;
  uint64_t validity_type = 0, sequence = 0, ttl = 0;
};

// Fields of a wire type that they do not have are unknown ones, which are let pass; of a field that
// comes twice the last counts. Both as Go's protobuf library has it.
std::optional<Entry> read_entry(ByteView bytes) {
  Entry out;
  while (!bytes.empty()) {
    const auto field = take_field(bytes);
    if (!field) return std::nullopt;
    if (field->is_other) continue;
    ByteView* text = nullptr;
    uint64_t* number = nullptr;
    switch (field->number) {
      case kEntryValue:
        text = &out.value;
        break;
      case kEntrySignatureV1:
        text = &out.signature_v1;
        break;
      case kEntryValidityType:
        number = &out.validity_type;
        break;
      case kEntryValidity:
        text = &out.validity;
        break;
      case kEntrySequence:
        number = &out.sequence;
        break;
      case kEntryTtl:
        number = &out.ttl;
        break;
      case kEntryPublicKey:
        text = &out.public_key;
        break;
      case kEntrySignatureV2:
        text = &out.signature_v2;
        break;
      case kEntryData:
        text = &out.data;
        break;
      default:
        break;
    }
    if (text != nullptr && field->is_bytes) *text = field->bytes;
    if (number != nullptr && !field->is_bytes) *number = field->value;
  }
  // An enum has 32 bits.
  out.validity_type = static_cast<uint32_t>(out.validity_type);
  return out;
}

// What boxo reads: a record within its 10 KiB cannot have more items.
constexpr CborLimits kDataLimits{.depth = 1024, .items = IpnsRecord::kMaxBytes, .canonical = false};

// The signed document with its five members as they are on the wire.
struct Document {
  Bytes value;
  Bytes validity;
  uint64_t validity_type = 0;
  std::optional<uint64_t> sequence;  // nothing when it is missing
  std::optional<uint64_t> ttl;       // nothing when it is missing, no number or beyond 2^63 - 1
  bool negative_ttl = false;
  std::map<std::string, Bytes> extra;
};

// Go has no numbers below -2^63.
bool has_only_numbers_of_go(const CborValue& value) {
  if (const auto* negative = value.as<CborNegative>()) return negative->n <= INT64_MAX;
  if (const auto* list = value.as<CborList>())
    return std::ranges::all_of(*list, has_only_numbers_of_go);
  const auto* map = value.as<CborMap>();
  return map == nullptr || std::ranges::all_of(*map, [](const CborMember& member) {
           return has_only_numbers_of_go(member.value);
         });
}

// The rules are those of boxo's ipns/record.go: devices would disagree otherwise. Beyond them a
// Value and a Sequence have to be of a kind that can be followed and compared.
Result<Document> read_document(ByteView data) {
  auto decoded = decode_dag_cbor(data, kDataLimits);
  if (!decoded) return fail(decoded.error().within("data"));
  const auto* map = decoded->as<CborMap>();
  if (map == nullptr) return fail(Errc::parse, "data: no map");
  if (!has_only_numbers_of_go(*decoded)) return fail(Errc::parse, "data: a number below -2^63");
  const auto* value = find_member(*map, "Value");
  const auto* validity = find_member(*map, "Validity");
  const auto* type = find_member(*map, "ValidityType");
  const auto* sequence = find_member(*map, "Sequence");
  const auto* ttl = find_member(*map, "TTL");
  if (value == nullptr || value->as<Bytes>() == nullptr)
    return fail(Errc::parse, "data: bad Value");
  if (validity == nullptr || validity->as<Bytes>() == nullptr) {
    return fail(Errc::parse, "data: bad Validity");
  }
  if (type == nullptr || type->as<uint64_t>() == nullptr) {
    return fail(Errc::parse, "data: bad ValidityType");
  }
  if (sequence != nullptr &&
      (sequence->as<uint64_t>() == nullptr || *sequence->as<uint64_t>() > kMaxSequence)) {
    return fail(Errc::parse, "data: Sequence is no number from 0 to 2^63 - 1");
  }
  Document out;
  out.value = *value->as<Bytes>();
  out.validity = *validity->as<Bytes>();
  out.validity_type = *type->as<uint64_t>();
  if (sequence != nullptr) out.sequence = *sequence->as<uint64_t>();
  const auto* number = ttl != nullptr ? ttl->as<uint64_t>() : nullptr;
  if (number != nullptr && *number <= kMaxSequence) out.ttl = *number;
  out.negative_ttl = ttl != nullptr && ttl->as<CborNegative>() != nullptr;
  for (const CborMember& member : *map) {
    if (&member.value == value || &member.value == validity || &member.value == type ||
        &member.value == sequence || &member.value == ttl) {
      continue;
    }
    out.extra.emplace(member.key, encode_dag_cbor(member.value));
  }
  return out;
}

// "/ipfs/..." and the like as they are; empty and CIDs, binary or as text, in the form of a path.
Result<std::string> read_value(ByteView value) {
  if (value.empty()) return std::string(kEmptyValue);
  const std::string_view text = as_text(value);
  if (text.front() != '/') {
    auto cid = Cid::decode(value);
    if (!cid) cid = Cid::parse(text);
    if (!cid) return fail(Errc::parse, "data: Value is neither a path nor a CID");
    return "/ipfs/" + cid->to_string();
  }
  const bool has_control =
      std::ranges::any_of(value, [](uint8_t c) { return c < 0x20 || c == 0x7f; });
  if (has_control || !is_utf8(text)) return fail(Errc::parse, "data: Value is no clean text");
  return std::string(text);
}

Result<IpnsRecord::Fields> read_fields(const Document& document) {
  auto value = read_value(document.value);
  if (!value) return fail(std::move(value.error()));
  const auto eol = Eol::parse(as_text(document.validity));
  if (!eol) return fail(eol.error().within("data: Validity"));
  return IpnsRecord::Fields{std::move(*value), Sequence{document.sequence.value_or(0)}, *eol,
                            document.ttl, document.extra};
}

tl::unexpected<RecordError> refuse(RecordFault fault, std::string message) {
  return tl::unexpected<RecordError>(RecordError{fault, std::move(message), std::nullopt});
}

tl::expected<IpnsPublicKey, RecordError> find_key(const IpnsName& name, const Entry& entry) {
  if (entry.public_key.empty()) {
    auto key = name.inline_key();
    if (!key)
      return refuse(RecordFault::key, "the record lacks the public key: " + key.error().message);
    return std::move(*key);
  }
  auto key = IpnsPublicKey::read(entry.public_key);
  if (!key) return refuse(RecordFault::key, "embedded " + key.error().message);
  if (IpnsName::from_key(*key) != name) {
    return refuse(RecordFault::key, "the embedded public key is not that of the name");
  }
  return std::move(*key);
}

Bytes signed_bytes(ByteView data) {
  Bytes out = to_bytes(kSignedPrefix);
  append(out, data);
  return out;
}

bool copies_agree(const Entry& entry, const Document& document) {
  return std::ranges::equal(entry.value, document.value) &&
         std::ranges::equal(entry.validity, document.validity) &&
         entry.validity_type == document.validity_type && entry.sequence == document.sequence &&
         (document.negative_ttl || entry.ttl == document.ttl);
}

}  // namespace

struct RecordCodec {
  static IpnsRecord make(ByteView bytes, ByteView data, ByteView signature,
                         IpnsRecord::Fields fields, KeyType key_type) {
    IpnsRecord out;
    out.bytes_ = to_bytes(bytes);
    out.data_ = to_bytes(data);
    out.signature_ = to_bytes(signature);
    out.fields_ = std::move(fields);
    out.key_type_ = key_type;
    return out;
  }
};

std::string_view to_string(RecordFault fault) {
  switch (fault) {
    case RecordFault::size:
      return "size";
    case RecordFault::decode:
      return "decode";
    case RecordFault::name:
      return "name";
    case RecordFault::key:
      return "key";
    case RecordFault::signature:
      return "signature";
    case RecordFault::mismatch:
      return "mismatch";
    case RecordFault::expired:
      return "expired";
    case RecordFault::type:
      return "type";
    case RecordFault::ttl:
      return "ttl";
  }
  return "decode";
}

uint64_t IpnsRecord::cacheable_ns() const { return fields_.ttl_ns.value_or(kUnstatedTtlNs); }

bool IpnsRecord::expired(UnixMillis now) const {
  return fields_.eol <= Eol{now.value / 1000, static_cast<int32_t>(now.value % 1000 * 1'000'000)};
}

// The order of the checks is that of boxo's ipns/validation.go, so that all give the same reason.
tl::expected<IpnsRecord, RecordError> verify_record(const IpnsName& name, ByteView bytes,
                                                    UnixMillis now) {
  if (bytes.size() > IpnsRecord::kMaxBytes) return refuse(RecordFault::size, "over 10 KiB");
  const auto entry = read_entry(bytes);
  if (!entry) return refuse(RecordFault::decode, "no protobuf");
  if (entry->signature_v2.empty()) return refuse(RecordFault::signature, "no V2 signature");
  if (entry->data.empty()) return refuse(RecordFault::decode, "no signed data");
  const auto key = find_key(name, *entry);
  if (!key) return tl::unexpected(key.error());
  const Status verified = key->verify(signed_bytes(entry->data), entry->signature_v2);
  if (!verified) {
    const bool is_signature = verified.error().code == Errc::signature;
    return refuse(is_signature ? RecordFault::signature : RecordFault::key,
                  verified.error().message);
  }
  const auto document = read_document(entry->data);
  if (!document) return refuse(RecordFault::decode, document.error().message);
  const bool has_copies = !entry->signature_v1.empty() || !entry->value.empty();
  if (has_copies && !copies_agree(*entry, *document)) {
    return refuse(RecordFault::mismatch, "the legacy copies differ from the signed data");
  }
  if (document->validity_type != 0) return refuse(RecordFault::type, "unknown validity type");
  auto fields = read_fields(*document);
  if (!fields) return refuse(RecordFault::decode, fields.error().message);
  IpnsRecord record =
      RecordCodec::make(bytes, entry->data, entry->signature_v2, std::move(*fields), key->type);
  const bool is_expired = record.expired(now);
  if (!is_expired && document->negative_ttl) return refuse(RecordFault::ttl, "TTL below 0");
  if (!is_expired) return record;
  RecordError error{RecordFault::expired, "expired at " + record.fields().eol.to_string(), {}};
  if (!document->negative_ttl) error.expired_record = std::move(record);
  return tl::unexpected(std::move(error));
}

std::optional<IpnsRecord::Fields> peek_record(ByteView bytes) {
  if (bytes.size() > IpnsRecord::kMaxBytes) return std::nullopt;
  const auto entry = read_entry(bytes);
  if (!entry || entry->data.empty()) return std::nullopt;
  const auto document = read_document(entry->data);
  if (!document) return std::nullopt;
  auto fields = read_fields(*document);
  if (!fields) return std::nullopt;
  return std::move(*fields);
}

namespace {

Status check_value(std::string_view value) {
  const auto clean = read_value(as_bytes(value));
  if (value.empty() || !clean || value.front() != '/')
    return fail(Errc::invalid, "value: want a path");
  std::string_view rest = value.substr(1);
  const size_t slash = rest.find('/');
  const std::string_view kind = rest.substr(0, slash);
  rest = slash == rest.npos ? "" : rest.substr(slash + 1);
  const std::string_view root = rest.substr(0, rest.find('/'));
  if (kind == "ipns" && !root.empty()) return {};
  if (kind != "ipfs") return fail(Errc::invalid, "value: want /ipfs/... or /ipns/...");
  const auto cid = Cid::parse(root);
  if (!cid) return fail(Errc::invalid, "value: " + cid.error().message);
  return {};
}

Result<Bytes> encode_document(const RecordOptions& options) {
  CborMap map = {{"Value", {to_bytes(options.value)}},
                 {"Validity", {to_bytes(options.eol.to_string())}},
                 {"ValidityType", {uint64_t{0}}},
                 {"Sequence", {options.sequence.value}},
                 {"TTL", {static_cast<uint64_t>(options.ttl.count())}}};
  for (const auto& [key, cbor] : options.extra) {
    if (find_member(map, key) != nullptr)
      return fail(Errc::invalid, "data: this key cannot be added: " + key);
    // A record of ours that is renewed carries on what others put into it.
    auto value = decode_dag_cbor(cbor, kDataLimits);
    if (!value) return fail(Errc::invalid, "data: " + key + ": " + value.error().message);
    map.push_back({key, std::move(*value)});
  }
  return encode_dag_cbor({std::move(map)});
}

Result<Bytes> encode_entry(const IpnsKey& key, const RecordOptions& options, ByteView data,
                           ByteView signature) {
  Bytes out;
  if (options.v1) {
    const std::string eol = options.eol.to_string();
    const std::string legacy = options.value + eol + std::string(kValidityTypeName);
    const auto old_signature = key.sign(as_bytes(legacy));
    if (!old_signature) return old_signature;
    append_bytes_field(out, kEntryValue, as_bytes(options.value));
    append_bytes_field(out, kEntrySignatureV1, *old_signature);
    append_uint_field(out, kEntryValidityType, 0);
    append_bytes_field(out, kEntryValidity, as_bytes(eol));
    append_uint_field(out, kEntrySequence, options.sequence.value);
    append_uint_field(out, kEntryTtl, static_cast<uint64_t>(options.ttl.count()));
  }
  // Keys of both types that sign here are short enough to be the name itself, so kPublicKey is
  // never written.
  append_bytes_field(out, kEntrySignatureV2, signature);
  append_bytes_field(out, kEntryData, data);
  return out;
}

}  // namespace

Result<IpnsRecord> create_record(const IpnsKey& key, const RecordOptions& options) {
  const Status value = check_value(options.value);
  if (!value) return fail(value.error());
  if (options.sequence.value > kMaxSequence) {
    return fail(Errc::invalid, "sequence: 2^63 or more can never be replaced");
  }
  if (options.ttl.count() < 0) return fail(Errc::invalid, "ttl: below zero");
  const auto data = encode_document(options);
  if (!data) return fail(data.error());
  const auto signature = key.sign(signed_bytes(*data));
  if (!signature) return fail(signature.error());
  const auto bytes = encode_entry(key, options, *data, *signature);
  if (!bytes) return fail(bytes.error());
  if (bytes->size() > IpnsRecord::kMaxBytes) return fail(Errc::too_large, "record: over 10 KiB");
  IpnsRecord::Fields fields{options.value, options.sequence, options.eol,
                            static_cast<uint64_t>(options.ttl.count()), options.extra};
  return RecordCodec::make(*bytes, *data, *signature, std::move(fields), key.type());
}

bool better(const IpnsRecord& a, const IpnsRecord& b) {
  const auto rank = [](const IpnsRecord& record) {
    return std::tie(record.fields().sequence, record.fields().eol, record.data());
  };
  return rank(a) > rank(b);
}

}  // namespace ipnscast::sync
