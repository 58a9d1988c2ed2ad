#include "ipnscast/bridge/node/multipart.h"

// The body of an upload to the embedded node.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto parts =
      ipnscast::bridge::parse_multipart("multipart/form-data; boundary=x", {data, size});
  if (!parts) return 0;
  size_t total = 0;
  for (const auto& part : *parts) total += part.body.size();
  if (total > size) __builtin_trap();
  return 0;
}
