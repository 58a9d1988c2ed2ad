#include "ipnscast/nostr/nip/xchacha20_poly1305.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>

#include "ipnscast/nostr/base/secret/aead.h"

namespace ipnscast::nostr {
namespace {

using State = std::array<uint32_t, 16>;

uint32_t load_le(ByteView bytes, size_t at) {
  return uint32_t{bytes[at]} | uint32_t{bytes[at + 1]} << 8 | uint32_t{bytes[at + 2]} << 16 |
         uint32_t{bytes[at + 3]} << 24;
}

void store_le(std::span<uint8_t> out, size_t at, uint32_t word) {
  for (size_t i = 0; i < 4; ++i) out[at + i] = static_cast<uint8_t>(word >> (8 * i));
}

// RFC 8439 section 2.1
void quarter_round(State& s, size_t a, size_t b, size_t c, size_t d) {
  s[a] += s[b];
  s[d] = std::rotl(s[d] ^ s[a], 16);
  s[c] += s[d];
  s[b] = std::rotl(s[b] ^ s[c], 12);
  s[a] += s[b];
  s[d] = std::rotl(s[d] ^ s[a], 8);
  s[c] += s[d];
  s[b] = std::rotl(s[b] ^ s[c], 7);
}

// Key and nonce for libcrypto: HChaCha20 of the first 16 bytes; four zeros before the last 8.
struct Inner {
  Inner(ByteView key32, ByteView nonce24) : key(hchacha20(key32, nonce24.first(16))) {
    assert(nonce24.size() == 24);
    std::copy_n(nonce24.begin() + 16, 8, nonce.begin() + 4);
  }
  SecretBytes<32> key;
  std::array<uint8_t, 12> nonce{};
};

}  // namespace

SecretBytes<32> hchacha20(ByteView key32, ByteView nonce16) {
  assert(key32.size() == 32 && nonce16.size() == 16);
  State s{0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
  for (size_t i = 0; i < 8; ++i) s[4 + i] = load_le(key32, 4 * i);
  for (size_t i = 0; i < 4; ++i) s[12 + i] = load_le(nonce16, 4 * i);
  for (int round = 0; round < 10; ++round) {
    for (size_t i = 0; i < 4; ++i) quarter_round(s, i, 4 + i, 8 + i, 12 + i);
    for (size_t i = 0; i < 4; ++i)
      quarter_round(s, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
  }
  SecretBytes<32> out;
  for (size_t i = 0; i < 4; ++i) {
    store_le(out.mutable_view(), 4 * i, s[i]);
    store_le(out.mutable_view(), 16 + 4 * i, s[12 + i]);
  }
  wipe({reinterpret_cast<uint8_t*>(s.data()), sizeof(s)});
  return out;
}

Bytes xchacha20_poly1305_seal(ByteView key32, ByteView nonce24, ByteView associated,
                              ByteView plaintext) {
  const Inner inner(key32, nonce24);
  Bytes out(plaintext.size() + kAeadTag);
  aead_seal(Aead::chacha20_poly1305, inner.key.view(), inner.nonce, associated, plaintext, out);
  return out;
}

Result<Bytes> xchacha20_poly1305_open(ByteView key32, ByteView nonce24, ByteView associated,
                                      ByteView sealed) {
  const Inner inner(key32, nonce24);
  auto out = aead_open(Aead::chacha20_poly1305, inner.key.view(), inner.nonce, associated, sealed);
  if (!out) return fail(out.error().within("xchacha20-poly1305"));
  return out;
}

}  // namespace ipnscast::nostr
