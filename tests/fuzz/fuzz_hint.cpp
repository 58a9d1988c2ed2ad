#include "ipnscast/nostr/event/event.h"
#include "ipnscast/sync/hint/hint.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ipnscast;
  nostr::Event event;
  event.kind = sync::kHintKind;
  event.tags = {{"d", "ipns-sync-k51qzi5uqu5dljtg5upm7x7ugan9lql3ewyknv4r4mhhkwzn8n7cnbd1unfwgq"},
                {"cid", std::string(as_text({data, std::min<size_t>(size, 64)}))}};
  event.content = as_text({data, size});
  (void)sync::parse_hint(event);
  (void)sync::claimed_sequence(event);
  return 0;
}
