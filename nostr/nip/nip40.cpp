#include "ipnscast/nostr/nip/nip40.h"

#include <charconv>

namespace ipnscast::nostr {

std::optional<UnixSeconds> expiration(const Event& event) {
  const auto text = event.tag("expiration");
  if (!text) return std::nullopt;
  int64_t seconds = 0;
  const char* const end = text->data() + text->size();
  const auto [rest, failed] = std::from_chars(text->data(), end, seconds);
  if (failed != std::errc() || rest != end) return std::nullopt;
  return UnixSeconds{seconds};
}

}  // namespace ipnscast::nostr
