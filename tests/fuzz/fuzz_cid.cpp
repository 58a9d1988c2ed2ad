#include <cstdlib>

#include "ipnscast/sync/ipfs/ipld/cid.h"
#include "ipnscast/sync/ipfs/ipns/ipns_name.h"

using namespace ipnscast;
using namespace ipnscast::sync;

// Both readings, as bytes and as text; what is read is written back as the same.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView bytes(data, size);
  const auto cid = Cid::decode(bytes);
  if (cid && !std::ranges::equal(cid->encode(), bytes)) std::abort();
  if (cid && *Cid::parse(cid->to_string()) != *cid) std::abort();
  static_cast<void>(Cid::parse(as_text(bytes)));
  const auto name = IpnsName::parse(as_text(bytes));
  if (name && *IpnsName::parse(name->to_string()) != *name) std::abort();
  return 0;
}
