#include "nostr/base/hex.h"

namespace ipnscast {
namespace {

constexpr char kDigits[] = "0123456789abcdef";

constexpr uint8_t kNoDigit = 0xff;

// The value of each character as a digit. A table, because digits of ids and keys are random and
// branches over them are mispredicted every second time.
constexpr std::array<uint8_t, 256> digit_values(bool allow_upper) {
  std::array<uint8_t, 256> out{};
  out.fill(kNoDigit);
  for (uint8_t i = 0; i < 10; ++i) out[static_cast<uint8_t>('0' + i)] = i;
  for (uint8_t i = 10; i < 16; ++i) {
    out[static_cast<uint8_t>('a' + i - 10)] = i;
    if (allow_upper) out[static_cast<uint8_t>('A' + i - 10)] = i;
  }
  return out;
}
constexpr auto kLowerValues = digit_values(false);
constexpr auto kAnyValues = digit_values(true);

bool read_hex(std::string_view text, std::span<uint8_t> out,
              const std::array<uint8_t, 256>& values) {
  if (text.size() != 2 * out.size()) return false;
  uint8_t seen = 0;  // values are below 16, so the high bits tell of another character
  for (size_t i = 0; i < out.size(); ++i) {
    const uint8_t high = values[static_cast<uint8_t>(text[2 * i])];
    const uint8_t low = values[static_cast<uint8_t>(text[2 * i + 1])];
    seen |= high | low;
    out[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return seen < 16;
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
  if (text.size() % 2 != 0 || !read_hex(text, out, kAnyValues)) {
    return fail(Errc::parse, "want an even number of hex digits");
  }
  return out;
}

bool read_lower_hex(std::string_view text, std::span<uint8_t> out) {
  return read_hex(text, out, kLowerValues);
}

}  // namespace ipnscast
