#include "ipnscast/nostr/event/nip19.h"

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/event/bech32.h"

namespace ipnscast::nostr {
namespace {

constexpr size_t kMaxEntityText = 5000;
constexpr size_t kMaxPointerRelays = 100;

enum TlvType : uint8_t { kTlvSpecial = 0, kTlvRelay = 1, kTlvAuthor = 2, kTlvKind = 3 };

// What the TLVs of a pointer say.
struct Tlvs {
  std::optional<Bytes> special;
  std::optional<PublicKey> author;
  std::optional<uint32_t> kind;
  std::vector<std::string> relays;
};

Status read_tlv(uint8_t type, ByteView value, Tlvs& out) {
  switch (type) {
    case kTlvSpecial:
      if (!out.special) out.special = to_bytes(value);
      return {};
    case kTlvRelay:
      if (out.relays.size() == kMaxPointerRelays)
        return fail(Errc::too_large, "nip19: too many relays");
      out.relays.emplace_back(as_text(value));
      return {};
    case kTlvAuthor:
      if (value.size() != PublicKey::kSize)
        return fail(Errc::parse, "nip19: want 32 bytes of author");
      if (!out.author) out.author = PublicKey::from(value);
      return {};
    case kTlvKind:
      if (value.size() != 4) return fail(Errc::parse, "nip19: want 4 bytes of kind");
      if (!out.kind) {
        out.kind = uint32_t{value[0]} << 24 | uint32_t{value[1]} << 16 | uint32_t{value[2]} << 8 |
                   value[3];
      }
      return {};
    default:
      return {};
  }
}

Result<Tlvs> read_tlvs(ByteView data) {
  Tlvs out;
  while (!data.empty()) {
    if (data.size() < 2 || data.size() < 2u + data[1]) return fail(Errc::parse, "nip19: cut short");
    if (auto ok = read_tlv(data[0], data.subspan(2, data[1]), out); !ok)
      return fail(std::move(ok.error()));
    data = data.subspan(2u + data[1]);
  }
  return out;
}

Result<Nip19> pointer_of(std::string_view prefix, Tlvs tlvs) {
  if (!tlvs.special) return fail(Errc::parse, "nip19: lacks what it points to");
  const bool is_32_bytes = tlvs.special->size() == 32;
  if (prefix == "nprofile") {
    if (!is_32_bytes) return fail(Errc::parse, "nprofile: want 32 bytes of key");
    return ProfilePointer{PublicKey::from(*tlvs.special), std::move(tlvs.relays)};
  }
  if (prefix == "nevent") {
    if (!is_32_bytes) return fail(Errc::parse, "nevent: want 32 bytes of id");
    return EventPointer{EventId::from(*tlvs.special), std::move(tlvs.relays), tlvs.author,
                        tlvs.kind};
  }
  if (!tlvs.author || !tlvs.kind || *tlvs.kind > 65535)
    return fail(Errc::parse, "naddr: want author and kind");
  return AddressPointer{
      {static_cast<int>(*tlvs.kind), *tlvs.author, std::string(as_text(*tlvs.special))},
      std::move(tlvs.relays)};
}

// Writes TLVs; remembers whether one was too long for its length byte.
class TlvWriter {
 public:
  void put(TlvType type, ByteView value) {
    if (value.size() > 255) {
      too_long_ = true;
      return;
    }
    data_.push_back(type);
    data_.push_back(static_cast<uint8_t>(value.size()));
    append(data_, value);
  }
  void put_relays(const std::vector<std::string>& relays) {
    for (const std::string& relay : relays) put(kTlvRelay, as_bytes(relay));
  }
  void put_kind(uint32_t kind) {
    const uint8_t bytes[] = {static_cast<uint8_t>(kind >> 24), static_cast<uint8_t>(kind >> 16),
                             static_cast<uint8_t>(kind >> 8), static_cast<uint8_t>(kind)};
    put(kTlvKind, bytes);
  }
  Result<std::string> text(std::string_view prefix) const {
    if (too_long_)
      return fail(Errc::too_large,
                  std::string(prefix) + ": no room for more than 255 bytes in one part");
    std::string out = encode_bech32(prefix, data_);
    if (out.size() > kMaxEntityText)
      return fail(Errc::too_large, std::string(prefix) + ": longer than 5000 characters");
    return out;
  }

 private:
  Bytes data_;
  bool too_long_ = false;
};

}  // namespace

std::string encode_npub(const PublicKey& key) { return encode_bech32("npub", key.view()); }
std::string encode_note(const EventId& id) { return encode_bech32("note", id.view()); }
std::string encode_nsec(const SecretKey& key) { return encode_bech32("nsec", key.secret_view()); }

Result<std::string> encode(const ProfilePointer& pointer) {
  TlvWriter out;
  out.put(kTlvSpecial, pointer.pubkey.view());
  out.put_relays(pointer.relays);
  return out.text("nprofile");
}

Result<std::string> encode(const EventPointer& pointer) {
  TlvWriter out;
  out.put(kTlvSpecial, pointer.id.view());
  out.put_relays(pointer.relays);
  if (pointer.author) out.put(kTlvAuthor, pointer.author->view());
  if (pointer.kind) out.put_kind(*pointer.kind);
  return out.text("nevent");
}

Result<std::string> encode(const AddressPointer& pointer) {
  if (pointer.address.kind < 0 || pointer.address.kind > 65535)
    return fail(Errc::invalid, "naddr: no such kind");
  TlvWriter out;
  out.put(kTlvSpecial, as_bytes(pointer.address.d));
  out.put_relays(pointer.relays);
  out.put(kTlvAuthor, pointer.address.pubkey.view());
  out.put_kind(static_cast<uint32_t>(pointer.address.kind));
  return out.text("naddr");
}

Result<Nip19> decode_nip19(std::string_view text) {
  if (text.starts_with("nostr:")) text.remove_prefix(6);
  auto decoded = decode_bech32(text, kMaxEntityText);
  if (!decoded) return fail(std::move(decoded.error()));
  const std::string& prefix = decoded->prefix;
  if (prefix == "npub" || prefix == "note") {
    if (decoded->data.size() != 32) return fail(Errc::parse, prefix + ": want 32 bytes");
    if (prefix == "npub") return PublicKey::from(decoded->data);
    return EventId::from(decoded->data);
  }
  if (prefix != "nprofile" && prefix != "nevent" && prefix != "naddr") {
    if (prefix == "nsec") wipe(decoded->data);
    return fail(Errc::unsupported, "nip19: want npub, note, nprofile, nevent or naddr");
  }
  auto tlvs = read_tlvs(decoded->data);
  if (!tlvs) return fail(std::move(tlvs.error()));
  return pointer_of(prefix, std::move(*tlvs));
}

Result<PublicKey> parse_public_key(std::string_view text) {
  if (text.size() == 2 * PublicKey::kSize) {
    if (auto bytes = from_hex(text)) return PublicKey::from(*bytes);
  } else if (auto decoded = decode_nip19(text)) {
    if (const auto* key = std::get_if<PublicKey>(&*decoded)) return *key;
  }
  return fail(Errc::parse, "public key: want 64 hex digits or npub1...");
}

Result<SecretKey> decode_nsec(std::string_view text) {
  auto decoded = decode_bech32(text, kMaxEntityText);
  if (!decoded) return fail(decoded.error().within("nsec"));
  auto key = decoded->prefix == "nsec"
                 ? SecretKey::from_bytes(decoded->data)
                 : Result<SecretKey>(fail(Errc::parse, "secret key: want nsec1..."));
  wipe(decoded->data);
  return key;
}

}  // namespace ipnscast::nostr
