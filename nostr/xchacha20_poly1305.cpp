#include "nostr/xchacha20_poly1305.h"

#include <openssl/evp.h>

#include <bit>
#include <cassert>
#include <climits>
#include <cstdlib>
#include <memory>

namespace ipnscast::nostr {
namespace {

constexpr size_t kTag = 16;

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

using Context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

// Ready for data, or the process ends: this fails only without memory.
Context begin(const Inner& inner, ByteView associated, bool sealing) {
  Context context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  int written = 0;
  if (!context ||
      EVP_CipherInit_ex(context.get(), EVP_chacha20_poly1305(), nullptr, inner.key.view().data(),
                        inner.nonce.data(), sealing ? 1 : 0) != 1 ||
      EVP_CipherUpdate(context.get(), nullptr, &written, associated.data(),
                       static_cast<int>(associated.size())) != 1) {
    std::abort();
  }
  return context;
}

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
  assert(plaintext.size() <= INT_MAX - kTag);
  const Context context = begin(Inner(key32, nonce24), associated, true);
  Bytes out(plaintext.size() + kTag);
  int written = 0;
  int rest = 0;
  if (EVP_CipherUpdate(context.get(), out.data(), &written, plaintext.data(),
                       static_cast<int>(plaintext.size())) != 1 ||
      EVP_CipherFinal_ex(context.get(), out.data() + written, &rest) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kTag,
                          out.data() + plaintext.size()) != 1) {
    std::abort();
  }
  return out;
}

Result<Bytes> xchacha20_poly1305_open(ByteView key32, ByteView nonce24, ByteView associated,
                                      ByteView sealed) {
  if (sealed.size() < kTag || sealed.size() > INT_MAX)
    return fail(Errc::signature, "xchacha20-poly1305: wrong size");
  const Context context = begin(Inner(key32, nonce24), associated, false);
  const ByteView ciphertext = sealed.first(sealed.size() - kTag);
  Bytes tag = to_bytes(sealed.last(kTag));
  Bytes out(ciphertext.size());
  int written = 0;
  int rest = 0;
  if (EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kTag, tag.data()) != 1 ||
      EVP_CipherUpdate(context.get(), out.data(), &written, ciphertext.data(),
                       static_cast<int>(ciphertext.size())) != 1 ||
      EVP_CipherFinal_ex(context.get(), out.data() + written, &rest) != 1) {
    wipe(out);
    return fail(Errc::signature, "xchacha20-poly1305: the tag does not hold");
  }
  return out;
}

}  // namespace ipnscast::nostr
