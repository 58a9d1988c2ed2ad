#include <cstdlib>

#include "ipnscast/sync/ipfs/ipld/multibase.h"

using namespace ipnscast;
using namespace ipnscast::sync;

// What decodes is encoded and decoded to the same bytes again.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto decoded = multibase_decode(as_text({data, size}));
  if (!decoded || decoded->bytes.size() > 512) return 0;
  const auto again = multibase_decode(multibase_encode(decoded->base, decoded->bytes));
  if (!again || again->bytes != decoded->bytes) std::abort();
  return 0;
}
