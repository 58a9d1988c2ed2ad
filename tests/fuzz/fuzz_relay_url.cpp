#include <cstdlib>

#include "ipnscast/nostr/base/bytes.h"
#include "ipnscast/nostr/event/relay_url.h"

using namespace ipnscast;

// A normal form is its own normal form.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto url = nostr::RelayUrl::parse(as_text({data, size}));
  if (url && nostr::RelayUrl::parse(url->text()) != *url) std::abort();
  return 0;
}
