#include <cstdlib>

#include "ipnscast/nostr/signer/nip46.h"

using namespace ipnscast;
using namespace ipnscast::nostr;

// Bytes as both messages and both addresses; what was read has to come back from its own text.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto text = as_text({data, size});
  if (const auto request = parse_signer_request(text)) {
    const auto again = parse_signer_request(to_json(*request));
    if (!again || again->params != request->params) std::abort();
  }
  if (const auto response = parse_signer_response(text)) {
    const auto again = parse_signer_response(to_json(*response));
    if (!again || again->result != response->result) std::abort();
  }
  if (const auto uri = parse_bunker_uri(text)) {
    const auto again = parse_bunker_uri(to_text(*uri));
    if (again && (again->relays != uri->relays || again->secret.view() != uri->secret.view()))
      std::abort();
  }
  (void)parse_nostr_connect_uri(text);
  (void)is_auth_url(text);
  return 0;
}
