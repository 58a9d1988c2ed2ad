#include "ipnscast/nostr/base/secret/aead.h"

#include <openssl/evp.h>

#include <cassert>
#include <climits>
#include <cstdlib>
#include <memory>

#include "ipnscast/nostr/base/secret/secret_bytes.h"

namespace ipnscast {
namespace {

using Context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

// Ready for data, or the process ends: this fails only without memory.
Context begin(Aead cipher, ByteView key32, ByteView nonce, ByteView associated, bool sealing) {
  assert(key32.size() == 32 && nonce.size() == kAeadNonce && associated.size() <= INT_MAX);
  Context context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  const EVP_CIPHER* which =
      cipher == Aead::aes_256_gcm ? EVP_aes_256_gcm() : EVP_chacha20_poly1305();
  int written = 0;
  if (!context ||
      EVP_CipherInit_ex(context.get(), which, nullptr, key32.data(), nonce.data(),
                        sealing ? 1 : 0) != 1 ||
      EVP_CipherUpdate(context.get(), nullptr, &written, associated.data(),
                       static_cast<int>(associated.size())) != 1) {
    std::abort();
  }
  return context;
}

}  // namespace

void aead_seal(Aead cipher, ByteView key32, ByteView nonce, ByteView associated, ByteView plain,
               std::span<uint8_t> out) {
  assert(plain.size() <= INT_MAX - kAeadTag && out.size() == plain.size() + kAeadTag);
  const Context context = begin(cipher, key32, nonce, associated, true);
  int written = 0;
  int rest = 0;
  if (EVP_CipherUpdate(context.get(), out.data(), &written, plain.data(),
                       static_cast<int>(plain.size())) != 1 ||
      EVP_CipherFinal_ex(context.get(), out.data() + written, &rest) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kAeadTag,
                          out.last(kAeadTag).data()) != 1) {
    std::abort();
  }
}

Result<Bytes> aead_open(Aead cipher, ByteView key32, ByteView nonce, ByteView associated,
                        ByteView sealed) {
  if (sealed.size() < kAeadTag || sealed.size() > INT_MAX)
    return fail(Errc::signature, "sealed bytes of a wrong size");
  const Context context = begin(cipher, key32, nonce, associated, false);
  const ByteView ciphertext = sealed.first(sealed.size() - kAeadTag);
  Bytes tag = to_bytes(sealed.last(kAeadTag));
  Bytes out(ciphertext.size());
  int written = 0;
  int rest = 0;
  if (EVP_CipherUpdate(context.get(), out.data(), &written, ciphertext.data(),
                       static_cast<int>(ciphertext.size())) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kAeadTag, tag.data()) != 1 ||
      EVP_CipherFinal_ex(context.get(), out.data() + written, &rest) != 1) {
    wipe(out);
    return fail(Errc::signature, "the tag does not hold");
  }
  return out;
}

}  // namespace ipnscast
