#include "ipnscast/nostr/base/sha256.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <cassert>

// The low-level SHA256_* calls are marked deprecated since OpenSSL 3.0, yet they are the only ones
// that need no allocation and no provider look-up; EVP costs about 400 ns more for each short
// message, as much as the hash.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace ipnscast {
namespace {

constexpr size_t kBlockSize = 64;

}  // namespace

Digest32 sha256(ByteView bytes) { return sha256({bytes}); }

Digest32 sha256(std::initializer_list<ByteView> pieces) {
  SHA256_CTX context;
  SHA256_Init(&context);
  for (ByteView piece : pieces) SHA256_Update(&context, piece.data(), piece.size());
  Digest32 out;
  SHA256_Final(out.data(), &context);
  return out;
}

Digest32 hmac_sha256(ByteView key, std::initializer_list<ByteView> pieces) {
  std::array<uint8_t, kBlockSize> pad{};
  Digest32 hashed{};
  if (key.size() > kBlockSize) {
    hashed = sha256(key);
    key = hashed;
  }
  std::copy(key.begin(), key.end(), pad.begin());

  SHA256_CTX context;
  for (uint8_t& b : pad) b ^= 0x36;
  SHA256_Init(&context);
  SHA256_Update(&context, pad.data(), pad.size());
  for (ByteView piece : pieces) SHA256_Update(&context, piece.data(), piece.size());
  Digest32 inner;
  SHA256_Final(inner.data(), &context);

  for (uint8_t& b : pad) b ^= 0x36 ^ 0x5c;
  SHA256_Init(&context);
  SHA256_Update(&context, pad.data(), pad.size());
  SHA256_Update(&context, inner.data(), inner.size());
  Digest32 out;
  SHA256_Final(out.data(), &context);

  wipe(pad);
  wipe(inner);
  wipe(hashed);
  OPENSSL_cleanse(&context, sizeof(context));
  return out;
}

Digest32 hkdf_extract(ByteView salt, ByteView key_material) {
  return hmac_sha256(salt, {key_material});
}

Bytes hkdf_expand(ByteView pseudo_random_key, ByteView info, size_t size) {
  assert(size <= 255 * 32);
  Bytes out;
  Digest32 block{};
  ByteView previous;
  for (uint8_t counter = 1; out.size() < size; ++counter) {
    block = hmac_sha256(pseudo_random_key, {previous, info, ByteView(&counter, 1)});
    previous = block;
    append(out, previous.first(std::min(block.size(), size - out.size())));
  }
  wipe(block);
  return out;
}

Bytes hkdf_sha256(ByteView key_material, ByteView salt, ByteView info, size_t size) {
  Digest32 key = hkdf_extract(salt, key_material);
  Bytes out = hkdf_expand(key, info, size);
  wipe(key);
  return out;
}

}  // namespace ipnscast
