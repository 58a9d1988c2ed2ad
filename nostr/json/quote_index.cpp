#include "ipnscast/nostr/json/quote_index.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <bit>
#include <cstring>

namespace ipnscast::nostr {
namespace {

constexpr size_t kBlock = 64;

struct Masks {  // bit i: byte i of the block
  uint64_t quotes = 0;
  uint64_t backslashes = 0;
};

#if defined(__SSE2__)

uint64_t equal_bytes(__m128i bytes, char c) {
  return static_cast<uint16_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(c))));
}

Masks masks_of(const char* block) {
  Masks out;
  for (size_t i = 0; i < kBlock; i += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block + i));
    out.quotes |= equal_bytes(bytes, '"') << i;
    out.backslashes |= equal_bytes(bytes, '\\') << i;
  }
  return out;
}

#else

Masks masks_of(const char* block) {
  Masks out;
  for (size_t i = 0; i < kBlock; ++i) {
    out.quotes |= uint64_t{block[i] == '"'} << i;
    out.backslashes |= uint64_t{block[i] == '\\'} << i;
  }
  return out;
}

#endif

}  // namespace

std::optional<std::span<const uint32_t>> index_quotes(std::string_view text,
                                                      std::vector<uint32_t>& buffer) {
  size_t count = 0;
  bool first_is_escaped = false;
  for (size_t at = 0; at < text.size(); at += kBlock) {
    Masks masks;
    if (text.size() - at >= kBlock) {
      masks = masks_of(text.data() + at);
    } else {
      char rest[kBlock] = {};
      std::memcpy(rest, text.data() + at, text.size() - at);
      masks = masks_of(rest);
    }
    uint64_t escaped = first_is_escaped ? 1 : 0;
    first_is_escaped = false;
    for (uint64_t left = masks.backslashes & ~escaped; left != 0;) {
      const auto bit = static_cast<size_t>(std::countr_zero(left));
      const size_t next = at + bit + 1;
      if (next < text.size() && (text[next] == '/' || text[next] == 'u')) return std::nullopt;
      left &= ~(uint64_t{3} << bit);
      if (bit + 1 == kBlock) {
        first_is_escaped = true;
      } else {
        escaped |= uint64_t{2} << bit;
      }
    }
    if (buffer.size() < count + kBlock) buffer.resize(2 * (count + kBlock));
    for (uint64_t left = masks.quotes & ~escaped; left != 0; left &= left - 1) {
      buffer[count++] = static_cast<uint32_t>(at + static_cast<size_t>(std::countr_zero(left)));
    }
  }
  return std::span<const uint32_t>(buffer.data(), count);
}

}  // namespace ipnscast::nostr
