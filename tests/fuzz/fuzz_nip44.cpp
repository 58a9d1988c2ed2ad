#include <cstdlib>

#include "ipnscast/nostr/nip/nip44.h"

using namespace ipnscast;

// Bytes as a payload, and as a plaintext that has to come back.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto key = nostr::ConversationKey::from_bytes(Bytes(32, 1));
  const auto text = as_text({data, size});
  (void)nostr::nip44_decrypt(key, text);
  if (size > 0 && nostr::nip44_decrypt(key, *nostr::nip44_encrypt(key, text)) != std::string(text))
    std::abort();
  return 0;
}
