#include <cstdlib>

#include "ipnscast/sync/ipfs/ipld/dag_json.h"

using namespace ipnscast;
using namespace ipnscast::sync;

// Its links are found exactly where it can be read, and what was read can be written as DAG-CBOR.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView bytes(data, size);
  const auto value = decode_dag_json(bytes);
  if (value.has_value() != dag_json_links(bytes).has_value()) std::abort();
  if (value && !decode_dag_cbor(encode_dag_cbor(*value))) std::abort();
  return 0;
}
