#include "ipnscast/nostr/event/event.h"
#include "ipnscast/sync/hint/private_hint.h"

// What our own key encrypted may still come from a broken device of ours.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ipnscast;
  const sync::PrivateNames names(SecretBytes<32>::from(Bytes(32, 7)));
  nostr::Event event;
  event.kind = sync::kHintKind;
  const auto hint = sync::parse_hint_text(event, as_text({data, size}));
  event.tags = {{"d", hint ? names.d_of(hint->name) : std::string(as_text({data, size}))}};
  const auto found = sync::parse_private_hint(event, as_text({data, size}), names);
  if (found.has_value() != hint.has_value()) __builtin_trap();
  if (hint && !sync::is_private_hint(event, event.pubkey)) __builtin_trap();
  (void)sync::is_private_d(event.tags[0][1]);
  return 0;
}
