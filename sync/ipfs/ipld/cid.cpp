#include "ipnscast/sync/ipfs/ipld/cid.h"

#include "ipnscast/sync/ipfs/ipld/multibase.h"
#include "ipnscast/sync/ipfs/ipld/varint.h"

namespace ipnscast::sync {
namespace {

constexpr size_t kV0Bytes = 34;
constexpr size_t kV0Text = 46;

bool starts_v0(ByteView bytes) { return bytes.size() >= 2 && bytes[0] == 0x12 && bytes[1] == 0x20; }

}  // namespace

Result<Cid> Cid::parse(std::string_view text) {
  if (text.size() == kV0Text && text.starts_with("Qm")) {
    const auto bytes = base_decode(Base::base58_btc, text);
    if (!bytes || bytes->size() != kV0Bytes || !starts_v0(*bytes)) {
      return fail(Errc::parse, "cid: bad version 0 text");
    }
    return decode(*bytes);
  }
  if (text.size() > 1024) return fail(Errc::parse, "cid: too long");
  const auto decoded = multibase_decode(text);
  if (!decoded) return fail(Errc::parse, "cid: " + decoded.error().message);
  if (!decoded->bytes.empty() && decoded->bytes[0] == 0x12) {
    return fail(Errc::parse, "cid: version 0 has no multibase prefix");
  }
  return decode(decoded->bytes);
}

Result<Cid> Cid::decode(ByteView bytes) {
  size_t used = 0;
  auto out = decode_prefix(bytes, used);
  if (out && used != bytes.size()) return fail(Errc::parse, "cid: bytes left over");
  return out;
}

Result<Cid> Cid::decode_prefix(ByteView bytes, size_t& used) {
  Cid out;
  if (starts_v0(bytes)) {
    if (bytes.size() < kV0Bytes) return fail(Errc::parse, "cid: cut off");
    out.version = 0;
    out.codec = static_cast<uint64_t>(Codec::dag_pb);
    out.hash = {static_cast<uint64_t>(HashCode::sha2_256),
                to_bytes(bytes.subspan(2, kV0Bytes - 2))};
    used = kV0Bytes;
    return out;
  }
  size_t version_size = 0;
  const auto version = read_varint(bytes, version_size);
  if (!version) return fail(version.error().within("cid"));
  if (*version != 1) return fail(Errc::parse, "cid: unknown version");
  size_t codec_size = 0;
  const auto codec = read_varint(bytes.subspan(version_size), codec_size);
  if (!codec) return fail(codec.error().within("cid"));
  size_t hash_size = 0;
  auto hash = Multihash::decode_prefix(bytes.subspan(version_size + codec_size), hash_size);
  if (!hash) return fail(hash.error().within("cid"));
  out.codec = *codec;
  out.hash = std::move(*hash);
  used = version_size + codec_size + hash_size;
  return out;
}

std::string Cid::to_string() const {
  if (version == 0) return base_encode(Base::base58_btc, encode());
  return multibase_encode(is(Codec::libp2p_key) ? Base::base36 : Base::base32, encode());
}

Bytes Cid::encode() const {
  if (version == 0) return hash.encode();
  Bytes out;
  append_varint(out, 1);
  append_varint(out, codec);
  append(out, hash.encode());
  return out;
}

Cid Cid::as_v1() const {
  Cid out = *this;
  out.version = 1;
  return out;
}

Bytes block_key(const Cid& cid) { return cid.hash.encode(); }

Result<Cid> make_cid(Codec codec, ByteView block, HashCode code) {
  auto digest = hash(code, block);
  if (!digest) return fail(std::move(digest.error()));
  return Cid{1, static_cast<uint64_t>(codec), std::move(*digest)};
}

Status check_block(const Cid& cid, ByteView block) {
  const Status checked = check_hash(cid.hash, block);
  if (!checked) return fail(checked.error().within("block " + cid.to_string()));
  return {};
}

}  // namespace ipnscast::sync
