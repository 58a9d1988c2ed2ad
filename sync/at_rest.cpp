#include "sync/at_rest.h"

#include <openssl/evp.h>

#include <cassert>
#include <climits>
#include <cstdlib>
#include <memory>

#include "nostr/base/random.h"

namespace ipnscast::sync {
namespace {

constexpr size_t kNonce = 12;
constexpr size_t kTag = 16;

using Context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

// Ready for data, or the process ends: this fails only without memory.
Context begin(const SecretBytes<32>& key, ByteView nonce, ByteView place, bool sealing) {
  Context context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  int written = 0;
  if (!context ||
      EVP_CipherInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.view().data(), nonce.data(),
                        sealing ? 1 : 0) != 1 ||
      EVP_CipherUpdate(context.get(), nullptr, &written, place.data(),
                       static_cast<int>(place.size())) != 1) {
    std::abort();
  }
  return context;
}

}  // namespace

Bytes AtRest::seal(ByteView plain, ByteView place) const {
  assert(plain.size() <= INT_MAX - kOverhead);
  Bytes out(kNonce + plain.size() + kTag);
  const std::span<uint8_t> all(out);
  fill_random(all.first(kNonce));
  const Context context = begin(key_, all.first(kNonce), place, true);
  int written = 0;
  int rest = 0;
  if (EVP_CipherUpdate(context.get(), all.data() + kNonce, &written, plain.data(),
                       static_cast<int>(plain.size())) != 1 ||
      EVP_CipherFinal_ex(context.get(), all.data() + kNonce + written, &rest) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kTag, all.last(kTag).data()) != 1) {
    std::abort();
  }
  return out;
}

Result<Bytes> AtRest::open(ByteView sealed, ByteView place) const {
  if (sealed.size() < kOverhead || sealed.size() > INT_MAX)
    return fail(Errc::signature, "at rest: wrong size");
  const Context context = begin(key_, sealed.first(kNonce), place, false);
  const ByteView ciphertext = sealed.subspan(kNonce, sealed.size() - kOverhead);
  Bytes tag = to_bytes(sealed.last(kTag));
  Bytes out(ciphertext.size());
  int written = 0;
  int rest = 0;
  if (EVP_CipherUpdate(context.get(), out.data(), &written, ciphertext.data(),
                       static_cast<int>(ciphertext.size())) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kTag, tag.data()) != 1 ||
      EVP_CipherFinal_ex(context.get(), out.data() + written, &rest) != 1) {
    wipe(out);
    return fail(Errc::signature, "at rest: the tag does not hold");
  }
  return out;
}

}  // namespace ipnscast::sync
