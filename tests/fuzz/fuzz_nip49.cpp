#include <cstdlib>

#include "ipnscast/nostr/event/bech32.h"
#include "ipnscast/nostr/nip/nip49.h"

using namespace ipnscast;

// Bytes as text, as what stands inside such a text, and as a password that has to open what it
// closed. scrypt is held to 4 KiB.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr uint8_t kCheap = 2;
  const auto text = as_text({data, size});
  (void)nostr::nip49_decrypt(text, "password", kCheap);
  (void)nostr::nip49_decrypt(nostr::encode_bech32("ncryptsec", {data, size}), "password", kCheap);
  const Bytes secret(32, 7);
  const auto closed = nostr::nip49_encrypt(secret, text, {.log_n = 1});
  if (!closed) return 0;
  const auto opened = nostr::nip49_decrypt(*closed, text, kCheap);
  if (!opened || !std::ranges::equal(opened->secret.view(), secret)) std::abort();
  return 0;
}
