#pragma once

#include <string>
#include <string_view>

#include "ipnscast/sync/ipfs/ipld/multihash.h"

namespace ipnscast::sync {

enum class KeyType { rsa = 0, ed25519 = 1, secp256k1 = 2, ecdsa = 3 };

// A libp2p public key: its protobuf {1: Type, 2: Data} in the one deterministic form that names
// hash.
struct IpnsPublicKey {
  KeyType type = KeyType::ed25519;
  Bytes data;  // Ed25519: 32 bytes; secp256k1: 33, compressed; RSA and ECDSA: DER
               // SubjectPublicKeyInfo

  Bytes encode() const;
  // Strict: both fields once, minimal varints, nothing else. Errc::parse.
  static Result<IpnsPublicKey> decode(ByteView bytes);
  // In any form that protobuf allows, as records may carry their key. Errc::parse.
  static Result<IpnsPublicKey> read(ByteView bytes);
  // Ed25519; secp256k1: ECDSA over SHA-256 in DER, high S accepted; RSA: PKCS#1 v1.5 with SHA-256,
  // 2048 to 8192 bits; ECDSA P-256: DER over SHA-256. Errc::signature, Errc::unsupported.
  Status verify(ByteView message, ByteView signature) const;
};

// An IPNS name: the multihash of a public key. Compared by these bytes, never by text. IPNS record
// spec, "IPNS Keys".
class IpnsName {
 public:
  // Every spelling, with or without "/ipns/": base58 (12D3Koo..., 16Uiu2..., Qm...), or a CIDv1 of
  // codec libp2p-key in any multibase. Errc::parse, which says so when the codec is another one or
  // the text is a domain.
  static Result<IpnsName> parse(std::string_view text);
  static Result<IpnsName> from_multihash(ByteView bytes);
  static IpnsName from_key(const IpnsPublicKey& key);
  // The secp256k1 name of a Nostr key, which anybody can compute: the point with even y. x is 32
  // bytes.
  static IpnsName from_nostr_key(ByteView x);

  const Multihash& multihash() const { return hash_; }
  Bytes bytes() const { return hash_.encode(); }
  std::string to_string() const;     // canonical: CIDv1 in base36, k51... or kzw...
  std::string base58() const;        // 12D3Koo..., 16Uiu2..., Qm...
  std::string base32() const;        // CIDv1 in base32, bafz...
  Bytes routing_key() const;         // "/ipns/" and the multihash
  std::string pubsub_topic() const;  // "/record/" and base64url of the routing key
  // The key itself where the name holds it (identity multihash). Errc::not_found otherwise.
  Result<IpnsPublicKey> inline_key() const;

  auto operator<=>(const IpnsName&) const = default;

 private:
  explicit IpnsName(Multihash hash) : hash_(std::move(hash)) {}
  Multihash hash_;
};

}  // namespace ipnscast::sync

template <>
struct std::hash<ipnscast::sync::IpnsName> {
  size_t operator()(const ipnscast::sync::IpnsName& name) const noexcept {
    const auto& digest = name.multihash().digest;
    return std::hash<std::string_view>{}(ipnscast::as_text(digest));
  }
};
