#include <cstdlib>

#include "ipnscast/nostr/event/check.h"

using namespace ipnscast;

// What parses is written and parsed again as the same event.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto event = nostr::parse_event(as_text({data, size}));
  if (event && nostr::parse_event(nostr::to_json(*event)) != *event) std::abort();
  (void)nostr::check_event(as_text({data, size}));
  return 0;
}
