#include "ipnscast/nostr/net/http/http_get.h"

using namespace ipnscast;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = as_text({data, size});
  (void)nostr::net::parse_http_head(text);
  const auto joined = nostr::net::join_chunks(text);
  if (joined && joined->size() > text.size()) __builtin_trap();
  return 0;
}
