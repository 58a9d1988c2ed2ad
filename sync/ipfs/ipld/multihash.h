#pragma once

#include <compare>
#include <cstdint>

#include "ipnscast/nostr/base/bytes_order.h"
#include "ipnscast/nostr/base/result.h"

namespace ipnscast::sync {

// Hash functions by their multicodec number. Others decode and are then refused when a block has to
// be checked.
enum class HashCode : uint64_t {
  identity = 0x00,
  sha1 = 0x11,
  sha2_256 = 0x12,
  sha2_512 = 0x13,
  blake3 = 0x1e,
  blake2b_256 = 0xb220,
};

// A self-describing digest: varint code, varint length, digest.
struct Multihash {
  uint64_t code = 0;
  Bytes digest;
  bool operator==(const Multihash&) const = default;
  std::strong_ordering operator<=>(const Multihash& other) const {
    const auto by_code = code <=> other.code;
    return std::is_neq(by_code) ? by_code : compare_bytes(digest, other.digest);
  }

  Bytes encode() const;
  // The whole input, nothing behind it. Varints minimal and at most 9 bytes, digest at most 128
  // bytes. Errc::parse.
  static Result<Multihash> decode(ByteView bytes);
  // The front of the input; `used` gets the number of bytes.
  static Result<Multihash> decode_prefix(ByteView bytes, size_t& used);
};

// Hashes with sha2-256, sha2-512, blake2b-256, identity, or BLAKE3 (32 bytes) where its library was
// there when this was built. Errc::unsupported otherwise.
Result<Multihash> hash(HashCode code, ByteView bytes);

// True when the function is one that hash() knows and safe for blocks: digest of full length,
// identity up to 128 bytes. Errc::unsupported ("hash 0x11 not supported"), Errc::signature when the
// bytes do not match.
Status check_hash(const Multihash& expected, ByteView bytes);

}  // namespace ipnscast::sync
