#include "ipnscast/nostr/base/hex.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

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

#if defined(__SSE2__)

// All ones in each byte that is at most `top`.
__m128i at_most(__m128i bytes, char top) {
  return _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(top)), bytes);
}

// Sixteen lower-case digits at once: every event has 256 of them.
bool read_eight(const char* text, uint8_t* out) {
  const __m128i characters = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text));
  const __m128i number = _mm_sub_epi8(characters, _mm_set1_epi8('0'));
  const __m128i letter = _mm_sub_epi8(characters, _mm_set1_epi8('a'));
  const __m128i is_number = at_most(number, 9);
  const __m128i is_letter = at_most(letter, 5);
  if (_mm_movemask_epi8(_mm_or_si128(is_number, is_letter)) != 0xffff) return false;
  const __m128i values =
      _mm_or_si128(_mm_and_si128(number, is_number),
                   _mm_and_si128(_mm_add_epi8(letter, _mm_set1_epi8(10)), is_letter));
  // Each lane of 16 bits has the high digit in its low byte.
  const __m128i high = _mm_slli_epi16(_mm_and_si128(values, _mm_set1_epi16(0xff)), 4);
  const __m128i bytes = _mm_or_si128(high, _mm_srli_epi16(values, 8));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(out), _mm_packus_epi16(bytes, bytes));
  return true;
}

#endif

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
#if defined(__SSE2__)
  if (text.size() != 2 * out.size()) return false;
  while (out.size() >= 8) {
    if (!read_eight(text.data(), out.data())) return false;
    text.remove_prefix(16);
    out = out.subspan(8);
  }
#endif
  return read_hex(text, out, kLowerValues);
}

}  // namespace ipnscast
