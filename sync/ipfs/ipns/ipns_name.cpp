#include "ipnscast/sync/ipfs/ipns/ipns_name.h"

#include "ipnscast/nostr/base/sha256.h"
#include "ipnscast/sync/ipfs/ipld/cid.h"
#include "ipnscast/sync/ipfs/ipld/multibase.h"

namespace ipnscast::sync {
namespace {

// A key whose protobuf has at most this many bytes is the name itself; a longer one is hashed.
constexpr size_t kMaxInlineKey = 42;
constexpr size_t kMaxText = 512;
constexpr std::string_view kIpnsPath = "/ipns/";

uint64_t number(HashCode code) { return static_cast<uint64_t>(code); }

Cid as_cid(const Multihash& hash) { return Cid{1, static_cast<uint64_t>(Codec::libp2p_key), hash}; }

}  // namespace

Result<IpnsName> IpnsName::parse(std::string_view text) {
  if (text.starts_with(kIpnsPath)) text.remove_prefix(kIpnsPath.size());
  if (text.empty()) return fail(Errc::parse, "name: empty");
  if (text.size() > kMaxText) return fail(Errc::parse, "name: too long");
  if (text.find('.') != text.npos) return fail(Errc::parse, "name: this is a domain (DNSLink)");
  if (text.find('/') != text.npos) return fail(Errc::parse, "name: has a path behind it");
  if (text.front() == '1' || text.starts_with("Qm")) {
    const auto bytes = base_decode(Base::base58_btc, text);
    if (!bytes) return fail(Errc::parse, "name: not base58");
    return from_multihash(*bytes);
  }
  const auto cid = Cid::parse(text);
  if (!cid) return fail(Errc::parse, "name: " + cid.error().message);
  if (!cid->is(Codec::libp2p_key)) {
    return fail(Errc::parse,
                "name: this is the CID of content, not an IPNS name (codec libp2p-key)");
  }
  return from_multihash(cid->hash.encode());
}

Result<IpnsName> IpnsName::from_multihash(ByteView bytes) {
  auto hash = Multihash::decode(bytes);
  if (!hash) return fail(hash.error().within("name"));
  const bool is_inline = hash->code == number(HashCode::identity) && !hash->digest.empty();
  const bool is_hashed = hash->code == number(HashCode::sha2_256) && hash->digest.size() == 32;
  if (!is_inline && !is_hashed) {
    return fail(Errc::parse, "name: neither a key nor the sha2-256 of one");
  }
  return IpnsName(std::move(*hash));
}

IpnsName IpnsName::from_key(const IpnsPublicKey& key) {
  Bytes encoded = key.encode();
  if (encoded.size() <= kMaxInlineKey) {
    return IpnsName(Multihash{number(HashCode::identity), std::move(encoded)});
  }
  const Digest32 digest = sha256(encoded);
  return IpnsName(Multihash{number(HashCode::sha2_256), to_bytes(ByteView(digest))});
}

IpnsName IpnsName::from_nostr_key(ByteView x) {
  IpnsPublicKey key{KeyType::secp256k1, {0x02}};
  append(key.data, x);
  return from_key(key);
}

std::string IpnsName::to_string() const {
  return multibase_encode(Base::base36, as_cid(hash_).encode());
}

std::string IpnsName::base58() const { return base_encode(Base::base58_btc, bytes()); }

std::string IpnsName::base32() const {
  return multibase_encode(Base::base32, as_cid(hash_).encode());
}

Bytes IpnsName::routing_key() const {
  Bytes out = to_bytes(kIpnsPath);
  append(out, bytes());
  return out;
}

std::string IpnsName::pubsub_topic() const {
  return "/record/" + base_encode(Base::base64_url, routing_key());
}

Result<IpnsPublicKey> IpnsName::inline_key() const {
  if (hash_.code != number(HashCode::identity)) {
    return fail(Errc::not_found, "name: is the hash of its key");
  }
  return IpnsPublicKey::decode(hash_.digest);
}

}  // namespace ipnscast::sync
