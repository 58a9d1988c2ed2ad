#pragma once

#include <string>
#include <string_view>

#include "ipnscast/sync/ipfs/ipld/multihash.h"

namespace ipnscast::sync {

// Multicodec numbers of content.
enum class Codec : uint64_t {
  cbor = 0x51,
  raw = 0x55,
  dag_pb = 0x70,
  dag_cbor = 0x71,
  libp2p_key = 0x72,
  dag_json = 0x0129,
  json = 0x0200,
};

// A content identifier, version 0 or 1.
struct Cid {
  int version = 1;
  uint64_t codec = static_cast<uint64_t>(Codec::raw);
  Multihash hash;

  // Any multibase; 46 characters that start with Qm are version 0. Errc::parse.
  static Result<Cid> parse(std::string_view text);
  // The whole input. Errc::parse.
  static Result<Cid> decode(ByteView bytes);
  // The front of the input; `used` gets the number of bytes. For CAR sections.
  static Result<Cid> decode_prefix(ByteView bytes, size_t& used);

  // Version 0 in base58btc, version 1 in base32 (libp2p-key in base36).
  std::string to_string() const;
  Bytes encode() const;
  // As version 1, for comparing: Qm... and bafybei... of the same block are the same content.
  Cid as_v1() const;

  bool is(Codec wanted) const { return codec == static_cast<uint64_t>(wanted); }
  bool is_identity() const { return hash.code == 0; }
  auto operator<=>(const Cid&) const = default;
};

// Names a block by its hash alone, so that both CID versions find it.
Bytes block_key(const Cid& cid);

Result<Cid> make_cid(Codec codec, ByteView block, HashCode hash = HashCode::sha2_256);

// The hash of the bytes is the CID's. Errc::signature, Errc::unsupported.
Status check_block(const Cid& cid, ByteView block);

}  // namespace ipnscast::sync
