#include <cstdlib>

#include "ipnscast/nostr/event/filter.h"

using namespace ipnscast;

// What parses is written and parsed again as the same filter.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto filter = nostr::parse_filter(as_text({data, size}));
  if (filter && nostr::parse_filter(nostr::to_json(*filter)) != *filter) std::abort();
  return 0;
}
