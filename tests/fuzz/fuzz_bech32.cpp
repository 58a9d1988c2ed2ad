#include <cstdlib>

#include "ipnscast/nostr/event/bech32.h"
#include "ipnscast/nostr/event/nip19.h"

using namespace ipnscast;

// What decodes is encoded to the same text.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto text = as_text({data, size});
  const auto decoded = nostr::decode_bech32(text, 5000);
  if (decoded &&
      nostr::decode_bech32(nostr::encode_bech32(decoded->prefix, decoded->data), 5000)->data !=
          decoded->data) {
    std::abort();
  }
  (void)nostr::decode_nip19(text);
  // Past the checksum, which a fuzzer does not guess.
  for (const char* prefix : {"nprofile", "nevent", "naddr"}) {
    (void)nostr::decode_nip19(nostr::encode_bech32(prefix, {data, size}));
  }
  return 0;
}
