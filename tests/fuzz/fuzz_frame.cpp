#include <cstdlib>

#include "ipnscast/nostr/verify/frame_verifier.h"

using namespace ipnscast;

// A relay's or a client's frame. What a relay says is also written and parsed again.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto text = as_text({data, size});
  const auto said = nostr::parse_relay_message(text);
  if (said && !std::holds_alternative<nostr::UnknownMessage>(*said) &&
      !nostr::parse_relay_message(nostr::to_frame(*said))) {
    std::abort();
  }
  (void)nostr::parse_client_message(text);
  nostr::VerifiedSet verified(16);
  (void)nostr::FrameVerifier(verified).check(text);
  return 0;
}
