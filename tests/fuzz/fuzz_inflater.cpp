#include <cstdlib>

#include "ipnscast/nostr/base/bytes.h"
#include "ipnscast/nostr/net/message/inflater.h"

using namespace ipnscast;

// Compressed messages of a relay, in parts: never above the bound, and the same as in one piece.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kMax = 64 * 1024;
  if (size == 0) return 0;
  const size_t part = 1 + data[0];
  const std::string_view payload = as_text({data + 1, size - 1});
  std::string whole;
  nostr::net::Inflater at_once;
  const bool fine = at_once.add(payload, true, kMax, whole).has_value();
  std::string joined;
  nostr::net::Inflater by_parts;
  bool fine_by_parts = true;
  for (size_t at = 0; at < payload.size() && fine_by_parts; at += part) {
    fine_by_parts = by_parts.add(payload.substr(at, part), false, kMax, joined).has_value();
  }
  fine_by_parts = fine_by_parts && by_parts.add("", true, kMax, joined).has_value();
  if (whole.size() > kMax || joined.size() > kMax) std::abort();
  if (fine != fine_by_parts || (fine && whole != joined)) std::abort();
  return 0;
}
