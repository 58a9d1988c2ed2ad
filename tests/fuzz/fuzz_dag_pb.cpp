#include <cstdlib>

#include "ipnscast/sync/ipfs/ipld/dag_pb.h"

using namespace ipnscast;
using namespace ipnscast::sync;

// There is one form only: what is read is written back byte for byte.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView bytes(data, size);
  const auto node = decode_dag_pb(bytes);
  if (node && !std::ranges::equal(encode_dag_pb(*node), bytes)) std::abort();
  return 0;
}
