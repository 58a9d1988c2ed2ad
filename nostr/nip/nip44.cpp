#include "ipnscast/nostr/nip/nip44.h"

#include <openssl/evp.h>

#include <bit>
#include <climits>
#include <cstdlib>
#include <memory>

#include "ipnscast/nostr/base/base64.h"
#include "ipnscast/nostr/base/random.h"
#include "ipnscast/nostr/base/sha256.h"

namespace ipnscast::nostr {
namespace {

// payload   = base64(version nonce ciphertext mac)
// version   = %x02                                1 byte
// nonce                                           32 bytes
// plaintext = prefix text *%x00                   padded, encrypted with ChaCha20
// prefix    = u16 of 1..65535 / %x0000 u32 of 65536 and more, big-endian
// mac       = HMAC-SHA256(nonce ciphertext)       32 bytes
constexpr uint8_t kNip44Version = 2;
constexpr size_t kNip44Nonce = 32;
constexpr size_t kMac = 32;
constexpr size_t kOverhead = 1 + kNip44Nonce + kMac;
constexpr size_t kLeastPayload = 132;
constexpr size_t kLeastDecoded = 99;
constexpr uint64_t kShortEnd = 65536;
constexpr size_t kShortPrefix = 2;
constexpr size_t kLongPrefix = 6;

size_t prefix_size(uint64_t plaintext) {
  return plaintext < kShortEnd ? kShortPrefix : kLongPrefix;
}

// Encrypts or decrypts `text` in place. ChaCha20 of RFC 8439 with counter 0.
void chacha20(const Nip44MessageKeys& keys, std::span<uint8_t> text) {
  std::array<uint8_t, 16>
      iv{};  // libcrypto wants the counter, 32 bits little-endian, before the nonce
  std::copy(keys.chacha_nonce.begin(), keys.chacha_nonce.end(), iv.begin() + 4);
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(
      EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  int written = 0;
  // Our bounds keep the size below INT_MAX, so this fails only without memory.
  if (!context || text.size() > INT_MAX ||
      EVP_EncryptInit_ex(context.get(), EVP_chacha20(), nullptr, keys.chacha_key.view().data(),
                         iv.data()) != 1 ||
      EVP_EncryptUpdate(context.get(), text.data(), &written, text.data(),
                        static_cast<int>(text.size())) != 1) {
    std::abort();
  }
}

Bytes pad(std::string_view plaintext) {
  const uint64_t size = plaintext.size();
  Bytes out;
  out.reserve(prefix_size(size) + nip44_padded_size(size));
  if (size >= kShortEnd) {
    append(out, std::array<uint8_t, 4>{0, 0, static_cast<uint8_t>(size >> 24),
                                       static_cast<uint8_t>(size >> 16)});
  }
  out.push_back(static_cast<uint8_t>(size >> 8));
  out.push_back(static_cast<uint8_t>(size));
  append(out, as_bytes(plaintext));
  out.resize(prefix_size(size) + nip44_padded_size(size));
  return out;
}

Result<std::string> unpad(ByteView padded) {
  const auto wrong = [] { return fail(Errc::parse, "nip44: wrong padding"); };
  uint64_t size = uint64_t{padded[0]} << 8 | padded[1];
  if (size == 0) {
    if (padded.size() < kLongPrefix) return wrong();
    for (size_t i = kShortPrefix; i < kLongPrefix; ++i) size = size << 8 | padded[i];
    if (size < kShortEnd) return wrong();
  }
  const size_t prefix = prefix_size(size);
  if (padded.size() != prefix + nip44_padded_size(size)) return wrong();
  return std::string(as_text(padded.subspan(prefix, size)));
}

}  // namespace

Result<ConversationKey> ConversationKey::between(const SecretKey& own, const PublicKey& peer) {
  auto shared = own.shared_x(peer);
  if (!shared) return fail(std::move(shared.error()));
  Digest32 key = hkdf_extract(as_bytes("nip44-v2"), shared->view());
  ConversationKey out(SecretBytes<32>::from(key));
  wipe(key);
  return out;
}

Nip44MessageKeys nip44_message_keys(const ConversationKey& key, ByteView nonce32) {
  Bytes all = hkdf_expand(key.view(), nonce32, 76);
  const ByteView view = all;
  Nip44MessageKeys out;
  out.chacha_key = SecretBytes<32>::from(view.first(32));
  std::copy_n(view.begin() + 32, 12, out.chacha_nonce.begin());
  out.hmac_key = SecretBytes<32>::from(view.subspan(44));
  wipe(all);
  return out;
}

uint64_t nip44_padded_size(uint64_t size) {
  if (size <= 32) return 32;
  const uint64_t next_power = std::bit_ceil(size);
  const uint64_t chunk = next_power <= 256 ? 32 : next_power / 8;
  return chunk * ((size - 1) / chunk + 1);
}

Result<std::string> nip44_encrypt(const ConversationKey& key, std::string_view plaintext,
                                  size_t max_plaintext) {
  std::array<uint8_t, kNip44Nonce> nonce;
  fill_random(nonce);
  return nip44_encrypt_with_nonce(key, plaintext, nonce, max_plaintext);
}

Result<std::string> nip44_encrypt_with_nonce(const ConversationKey& key, std::string_view plaintext,
                                             ByteView nonce32, size_t max_plaintext) {
  if (plaintext.empty()) return fail(Errc::invalid, "nip44: nothing to encrypt");
  if (plaintext.size() > max_plaintext) return fail(Errc::too_large, "nip44: plaintext too large");
  if (nonce32.size() != kNip44Nonce) return fail(Errc::invalid, "nip44: want a nonce of 32 bytes");
  const Nip44MessageKeys keys = nip44_message_keys(key, nonce32);
  Bytes ciphertext = pad(plaintext);
  chacha20(keys, ciphertext);
  Bytes payload{kNip44Version};
  append(payload, nonce32);
  append(payload, ciphertext);
  append(payload, hmac_sha256(keys.hmac_key.view(), {nonce32, ciphertext}));
  return to_base64(payload);
}

Result<std::string> nip44_decrypt(const ConversationKey& key, std::string_view payload,
                                  size_t max_plaintext) {
  if (payload.starts_with('#')) return fail(Errc::unsupported, "nip44: unknown version");
  if (payload.size() < kLeastPayload) return fail(Errc::parse, "nip44: too short");
  const size_t max_decoded = kOverhead + kLongPrefix + nip44_padded_size(max_plaintext);
  auto decoded = from_base64(payload, max_decoded);
  if (!decoded) return fail(decoded.error().within("nip44"));
  const ByteView data = *decoded;
  if (data.size() < kLeastDecoded) return fail(Errc::parse, "nip44: too short");
  if (data[0] != kNip44Version) return fail(Errc::unsupported, "nip44: unknown version");
  const ByteView nonce = data.subspan(1, kNip44Nonce);
  const ByteView ciphertext = data.subspan(1 + kNip44Nonce, data.size() - kOverhead);
  const Nip44MessageKeys keys = nip44_message_keys(key, nonce);
  if (!equal_constant_time(hmac_sha256(keys.hmac_key.view(), {nonce, ciphertext}),
                           data.last(kMac))) {
    return fail(Errc::signature, "nip44: wrong MAC");
  }
  Bytes padded = to_bytes(ciphertext);
  chacha20(keys, padded);
  auto text = unpad(padded);
  wipe(padded);
  if (text && text->size() > max_plaintext)
    return fail(Errc::too_large, "nip44: plaintext too large");
  return text;
}

}  // namespace ipnscast::nostr
