#include "ipnscast/nostr/nip/nip11.h"

using namespace ipnscast;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  (void)nostr::parse_relay_information(as_text({data, size}));
  return 0;
}
