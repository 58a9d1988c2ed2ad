#include "ipnscast/nostr/base/base64.h"

#include <openssl/evp.h>

namespace ipnscast {

std::string to_base64(ByteView bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3), '\0');
  // EVP_EncodeBlock writes a trailing NUL, which lands on the string's own.
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes.data(),
                  static_cast<int>(bytes.size()));
  return out;
}

Result<Bytes> from_base64(std::string_view text, size_t max_bytes) {
  if (text.size() / 4 > max_bytes / 3 + 1) return fail(Errc::too_large, "base64: too long");
  if (text.size() % 4 != 0) return fail(Errc::parse, "base64: length is not a multiple of 4");
  size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  Bytes out(text.size() / 4 * 3);
  const int got = EVP_DecodeBlock(out.data(), as_bytes(text).data(), static_cast<int>(text.size()));
  if (got < 0) return fail(Errc::parse, "base64: bad character");
  out.resize(static_cast<size_t>(got) - padding);
  if (out.size() > max_bytes) return fail(Errc::too_large, "base64: too long");
  if (to_base64(out) != text) return fail(Errc::parse, "base64: not in canonical form");
  return out;
}

}  // namespace ipnscast
