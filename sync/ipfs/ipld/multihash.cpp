#include "ipnscast/sync/ipfs/ipld/multihash.h"

#ifdef IPNSCAST_HAS_BLAKE3
#include <blake3.h>
#endif
#include <openssl/evp.h>
#include <sodium/crypto_generichash.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "ipnscast/nostr/base/sha256.h"
#include "ipnscast/sync/ipfs/ipld/hash_form.h"
#include "ipnscast/sync/ipfs/ipld/varint.h"

namespace ipnscast::sync {
namespace {

constexpr size_t kMaxDigest = 128;

std::string unsupported(uint64_t code) {
  char text[40];
  std::snprintf(text, sizeof(text), "hash 0x%llx not supported",
                static_cast<unsigned long long>(code));
  return text;
}

Bytes sha512(ByteView bytes) {
  Bytes out(64);
  EVP_Digest(bytes.data(), bytes.size(), out.data(), nullptr, EVP_sha512(), nullptr);
  return out;
}

Bytes blake2b_256(ByteView bytes) {
  Bytes out(32);
  crypto_generichash(out.data(), out.size(), bytes.data(), bytes.size(), nullptr, 0);
  return out;
}

#ifdef IPNSCAST_HAS_BLAKE3
Bytes blake3(ByteView bytes) {
  blake3_hasher hasher;
  blake3_hasher_init(&hasher);
  blake3_hasher_update(&hasher, bytes.data(), bytes.size());
  Bytes out(BLAKE3_OUT_LEN);
  blake3_hasher_finalize(&hasher, out.data(), out.size());
  return out;
}
#endif

}  // namespace

Bytes Multihash::encode() const {
  Bytes out;
  out.reserve(digest.size() + 4);
  append_varint(out, code);
  append_varint(out, digest.size());
  append(out, digest);
  return out;
}

Result<Multihash> Multihash::decode_prefix(ByteView bytes, size_t& used) {
  size_t code_size = 0;
  const auto code = read_varint(bytes, code_size);
  if (!code) return fail(code.error().within("multihash"));
  size_t length_size = 0;
  const auto length = read_varint(bytes.subspan(code_size), length_size);
  if (!length) return fail(length.error().within("multihash"));
  const ByteView rest = bytes.subspan(code_size + length_size);
  if (*length > kMaxDigest) return fail(Errc::parse, "multihash: digest longer than 128 bytes");
  if (*length > rest.size()) return fail(Errc::parse, "multihash: cut off");
  used = code_size + length_size + *length;
  return Multihash{*code, to_bytes(rest.first(*length))};
}

Result<Multihash> Multihash::decode(ByteView bytes) {
  size_t used = 0;
  auto out = decode_prefix(bytes, used);
  if (out && used != bytes.size()) return fail(Errc::parse, "multihash: bytes left over");
  return out;
}

Result<Multihash> hash(HashCode code, ByteView bytes) {
  const auto number = static_cast<uint64_t>(code);
  switch (code) {
    case HashCode::identity:
      if (bytes.size() > kMaxDigest) return fail(Errc::too_large, "identity hash: over 128 bytes");
      return Multihash{number, to_bytes(bytes)};
    case HashCode::sha2_256: {
      const Digest32 digest = sha256(bytes);
      return Multihash{number, to_bytes(ByteView(digest))};
    }
    case HashCode::sha2_512:
      return Multihash{number, sha512(bytes)};
    case HashCode::blake2b_256:
      return Multihash{number, blake2b_256(bytes)};
#ifdef IPNSCAST_HAS_BLAKE3
    case HashCode::blake3:
      return Multihash{number, blake3(bytes)};
#endif
    default:
      return fail(Errc::unsupported, unsupported(number));
  }
}

Status check_form(const Multihash& hash) {
  size_t wanted = 32;
  switch (HashCode{hash.code}) {
    case HashCode::identity:
      wanted = std::min(hash.digest.size(), kMaxDigest);
      break;
    case HashCode::sha2_512:
      wanted = 64;
      break;
    case HashCode::sha2_256:
    case HashCode::blake2b_256:
#ifdef IPNSCAST_HAS_BLAKE3
    case HashCode::blake3:
#endif
      break;
    default:
      return fail(Errc::unsupported, unsupported(hash.code));
  }
  if (hash.digest.size() == wanted) return {};
  return fail(Errc::unsupported, "a digest of " + std::to_string(hash.digest.size()) +
                                     " bytes, where its hash has " + std::to_string(wanted));
}

Status check_hash(const Multihash& expected, ByteView bytes) {
  if (expected.code == static_cast<uint64_t>(HashCode::identity)) {
    if (!std::ranges::equal(expected.digest, bytes)) {
      return fail(Errc::signature, "the bytes are not those of the identity hash");
    }
    return {};
  }
  const auto actual = hash(HashCode{expected.code}, bytes);
  if (!actual) return fail(actual.error());
  if (actual->digest.size() != expected.digest.size()) {
    return fail(Errc::unsupported, "shortened digest");
  }
  if (actual->digest != expected.digest) {
    return fail(Errc::signature, "the bytes do not match their hash");
  }
  return {};
}

}  // namespace ipnscast::sync
