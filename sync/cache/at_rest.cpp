#include "ipnscast/sync/cache/at_rest.h"

#include "ipnscast/nostr/base/random.h"
#include "ipnscast/nostr/base/secret/aead.h"

namespace ipnscast::sync {

static_assert(AtRest::kOverhead == kAeadNonce + kAeadTag);

Bytes AtRest::seal(ByteView plain, ByteView place) const {
  Bytes out(plain.size() + kOverhead);
  const std::span<uint8_t> nonce = std::span(out).first(kAeadNonce);
  fill_random(nonce);
  aead_seal(Aead::aes_256_gcm, key_.view(), nonce, place, plain,
            std::span(out).subspan(kAeadNonce));
  return out;
}

Result<Bytes> AtRest::open(ByteView sealed, ByteView place) const {
  if (sealed.size() < kOverhead) return fail(Errc::signature, "at rest: wrong size");
  auto out = aead_open(Aead::aes_256_gcm, key_.view(), sealed.first(kAeadNonce), place,
                       sealed.subspan(kAeadNonce));
  if (!out) return fail(out.error().within("at rest"));
  return out;
}

}  // namespace ipnscast::sync
