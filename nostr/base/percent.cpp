#include "ipnscast/nostr/base/percent.h"

#include <cstdint>

#include "ipnscast/nostr/base/hex.h"

namespace ipnscast {

std::string percent_encoded(std::string_view text, std::string_view plain) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                            (c >= '0' && c <= '9') ||
                            std::string_view("-._~").find(c) != std::string_view::npos;
    if (unreserved || plain.find(c) != plain.npos) {
      out += c;
      continue;
    }
    const auto byte = static_cast<uint8_t>(c);
    out += {'%', kHex[byte >> 4], kHex[byte & 15]};
  }
  return out;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto byte = text.front() == '%' ? from_hex(text.substr(1, 2)) : Result<Bytes>(Bytes());
    const bool escaped = byte && byte->size() == 1;
    out += escaped ? static_cast<char>(byte->front()) : text.front();
    text.remove_prefix(escaped ? 3 : 1);
  }
  return out;
}

}  // namespace ipnscast
