#include "ipnscast/sync/keys/key_store.h"

using namespace ipnscast;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  (void)sync::import_key(as_text({data, size}));
  return 0;
}
