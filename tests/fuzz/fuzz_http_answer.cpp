#include "ipnscast/nostr/net/http/http_get.h"

using namespace ipnscast;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  (void)nostr::net::parse_http_head(as_text({data, size}));
  return 0;
}
