#include <cstdlib>

#include "ipnscast/sync/ipfs/unixfs/unixfs.h"

using namespace ipnscast;
using namespace ipnscast::sync;

// The message alone, and as a node's data.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView bytes(data, size);
  const auto message = decode_unixfs(bytes);
  if (message && *decode_unixfs(encode_unixfs(*message)) != *message) std::abort();
  const Cid cid = *make_cid(Codec::dag_pb, {});
  const auto node = decode_node(cid, bytes);
  if (node && node->is_file() && node->links.size() != node->data.blocksizes.size()) std::abort();
  return 0;
}
