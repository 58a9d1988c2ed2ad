#include "ipnscast/sync/gateway/providers.h"

using namespace ipnscast;
using namespace ipnscast::sync::gateway;

// What a router says about who has a CID. Nobody whom only a private address reaches gets through.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  HttpAnswer answer;
  answer.head.status = 200;
  answer.head.headers["content-type"] = size % 2 == 0 ? "application/json" : "application/x-ndjson";
  answer.body = Bytes(data, data + size);
  for (const ProviderHosts hosts : {ProviderHosts::any, ProviderHosts::public_only}) {
    const auto found = read_providers(answer, hosts);
    if (found && found->size() > kMaxProviders) __builtin_trap();
  }
  return 0;
}
