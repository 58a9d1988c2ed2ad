#include "nostr/base/hex.h"

namespace ipnscast {
namespace {

constexpr char kDigits[] = "0123456789abcdef";

// The value of a digit, or -1. Upper case counts only when asked for.
int digit_value(char c, bool allow_upper) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (allow_upper && c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool read_hex(std::string_view text, std::span<uint8_t> out, bool allow_upper) {
  if (text.size() != 2 * out.size()) return false;
  for (size_t i = 0; i < out.size(); ++i) {
    const int high = digit_value(text[2 * i], allow_upper);
    const int low = digit_value(text[2 * i + 1], allow_upper);
    if (high < 0 || low < 0) return false;
    out[i] = static_cast<uint8_t>(high * 16 + low);
  }
  return true;
}

}  // namespace

void write_hex(ByteView bytes, char* out) {
  for (uint8_t b : bytes) {
    *out++ = kDigits[b >> 4];
    *out++ = kDigits[b & 15];
  }
}

std::string to_hex(ByteView bytes) {
  std::string out(2 * bytes.size(), '\0');
  write_hex(bytes, out.data());
  return out;
}

Result<Bytes> from_hex(std::string_view text) {
  Bytes out(text.size() / 2);
  if (text.size() % 2 != 0 || !read_hex(text, out, true)) {
    return fail(Errc::parse, "want an even number of hex digits");
  }
  return out;
}

bool read_lower_hex(std::string_view text, std::span<uint8_t> out) {
  return read_hex(text, out, false);
}

}  // namespace ipnscast
