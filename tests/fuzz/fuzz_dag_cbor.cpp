#include <cstdlib>

#include "ipnscast/sync/ipfs/ipld/dag_cbor.h"

using namespace ipnscast;
using namespace ipnscast::sync;

// Canonical input is written back byte for byte; lenient reading accepts all that strict reading
// does.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView bytes(data, size);
  const auto strict = decode_dag_cbor(bytes);
  const auto lenient = decode_dag_cbor(bytes, {.canonical = false});
  if (strict && (!lenient || !std::ranges::equal(encode_dag_cbor(*strict), bytes))) std::abort();
  if (strict.has_value() != dag_cbor_links(bytes).has_value()) std::abort();
  return 0;
}
