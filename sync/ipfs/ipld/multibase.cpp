#include "ipnscast/sync/ipfs/ipld/multibase.h"

#include <array>
#include <optional>

namespace ipnscast::sync {
namespace {

constexpr size_t kMaxRadixText = 1024;

// Bases of 2^bits pack bits from the left (RFC 4648); the others write one big number after a zero
// digit for each leading zero byte.
struct Alphabet {
  Base base;
  std::string_view digits;
  int bits;               // 0 for a base that is no power of two
  int padding_group = 0;  // characters that padding fills up to; 0 for none
  bool either_case = false;
};

constexpr std::string_view kDigits36 = "0123456789abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kDigits36Upper = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view k32 = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::string_view k32Upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::string_view k64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view k64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array kAlphabets = {
    Alphabet{Base::base2, "01", 1},
    Alphabet{Base::base8, "01234567", 3},
    Alphabet{Base::base10, "0123456789", 0},
    Alphabet{Base::base16, kDigits36.substr(0, 16), 4, 0, true},
    Alphabet{Base::base16_upper, kDigits36Upper.substr(0, 16), 4, 0, true},
    Alphabet{Base::base32, k32, 5, 0, true},
    Alphabet{Base::base32_upper, k32Upper, 5, 0, true},
    Alphabet{Base::base32_pad, k32, 5, 8, true},
    Alphabet{Base::base32_pad_upper, k32Upper, 5, 8, true},
    Alphabet{Base::base32_hex, kDigits36.substr(0, 32), 5, 0, true},
    Alphabet{Base::base32_hex_upper, kDigits36Upper.substr(0, 32), 5, 0, true},
    Alphabet{Base::base32_hex_pad, kDigits36.substr(0, 32), 5, 8, true},
    Alphabet{Base::base32_hex_pad_upper, kDigits36Upper.substr(0, 32), 5, 8, true},
    Alphabet{Base::base32_z, "ybndrfg8ejkmcpqxot1uwisza345h769", 5},
    Alphabet{Base::base36, kDigits36, 0, 0, true},
    Alphabet{Base::base36_upper, kDigits36Upper, 0, 0, true},
    Alphabet{Base::base58_btc, "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", 0},
    Alphabet{Base::base58_flickr, "123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ", 0},
    Alphabet{Base::base64, k64, 6},
    Alphabet{Base::base64_pad, k64, 6, 4},
    Alphabet{Base::base64_url, k64Url, 6},
    Alphabet{Base::base64_url_pad, k64Url, 6, 4},
};

const Alphabet* find(Base base) {
  for (const Alphabet& alphabet : kAlphabets) {
    if (alphabet.base == base) return &alphabet;
  }
  return nullptr;
}

char other_case(char c) {
  if (c >= 'a' && c <= 'z') return static_cast<char>(c - 'a' + 'A');
  if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
  return c;
}

// Each character's digit, or nothing when one is foreign to the alphabet.
std::optional<Bytes> digits_of(const Alphabet& alphabet, std::string_view text) {
  std::array<int16_t, 256> values;
  values.fill(-1);
  for (size_t i = 0; i < alphabet.digits.size(); ++i) {
    const char c = alphabet.digits[i];
    values[static_cast<uint8_t>(c)] = static_cast<int16_t>(i);
    if (alphabet.either_case) values[static_cast<uint8_t>(other_case(c))] = static_cast<int16_t>(i);
  }
  Bytes out;
  out.reserve(text.size());
  for (const char c : text) {
    const int16_t value = values[static_cast<uint8_t>(c)];
    if (value < 0) return std::nullopt;
    out.push_back(static_cast<uint8_t>(value));
  }
  return out;
}

std::string encode_bits(const Alphabet& alphabet, ByteView bytes) {
  std::string out;
  uint32_t buffer = 0;
  int held = 0;
  const uint32_t mask = (1u << alphabet.bits) - 1;
  for (const uint8_t byte : bytes) {
    buffer = (buffer << 8) | byte;
    for (held += 8; held >= alphabet.bits;) {
      held -= alphabet.bits;
      out.push_back(alphabet.digits[(buffer >> held) & mask]);
    }
  }
  if (held > 0) out.push_back(alphabet.digits[(buffer << (alphabet.bits - held)) & mask]);
  while (alphabet.padding_group > 0 &&
         out.size() % static_cast<size_t>(alphabet.padding_group) != 0) {
    out.push_back('=');
  }
  return out;
}

Result<Bytes> decode_bits(const Alphabet& alphabet, std::string_view text) {
  if (alphabet.padding_group > 0) {
    const auto group = static_cast<size_t>(alphabet.padding_group);
    if (text.size() % group != 0) return fail(Errc::parse, "multibase: padding is missing");
    size_t padding = 0;
    while (padding < group && padding < text.size() && text[text.size() - 1 - padding] == '=') {
      ++padding;
    }
    if (padding == group) return fail(Errc::parse, "multibase: too much padding");
    text.remove_suffix(padding);
  }
  const auto digits = digits_of(alphabet, text);
  if (!digits) return fail(Errc::parse, "multibase: bad character");
  Bytes out;
  out.reserve(text.size() * static_cast<size_t>(alphabet.bits) / 8);
  uint32_t buffer = 0;
  int held = 0;
  for (const uint8_t digit : *digits) {
    buffer = (buffer << alphabet.bits) | digit;
    held += alphabet.bits;
    if (held >= 8) {
      held -= 8;
      out.push_back(static_cast<uint8_t>(buffer >> held));
    }
    buffer &= (1u << held) - 1;
  }
  if (held >= alphabet.bits || buffer != 0)
    return fail(Errc::parse, "multibase: stray bits at the end");
  return out;
}

// Writes `number`, given as digits of base `from`, in base `to`; leading zeros are kept one for
// one.
Bytes change_radix(ByteView number, uint32_t from, uint32_t to) {
  size_t zeros = 0;
  while (zeros < number.size() && number[zeros] == 0) ++zeros;
  Bytes little_endian;
  for (const uint8_t digit : number.subspan(zeros)) {
    uint32_t carry = digit;
    for (uint8_t& place : little_endian) {
      carry += place * from;
      place = static_cast<uint8_t>(carry % to);
      carry /= to;
    }
    for (; carry > 0; carry /= to) little_endian.push_back(static_cast<uint8_t>(carry % to));
  }
  Bytes out(zeros, 0);
  out.insert(out.end(), little_endian.rbegin(), little_endian.rend());
  return out;
}

}  // namespace

std::string base_encode(Base base, ByteView bytes) {
  const Alphabet* alphabet = find(base);
  if (alphabet == nullptr) return std::string(as_text(bytes));
  if (alphabet->bits > 0) return encode_bits(*alphabet, bytes);
  std::string out;
  for (const uint8_t digit :
       change_radix(bytes, 256, static_cast<uint32_t>(alphabet->digits.size()))) {
    out.push_back(alphabet->digits[digit]);
  }
  return out;
}

Result<Bytes> base_decode(Base base, std::string_view text) {
  const Alphabet* alphabet = find(base);
  if (alphabet == nullptr) return to_bytes(text);
  if (alphabet->bits > 0) return decode_bits(*alphabet, text);
  if (text.size() > kMaxRadixText) return fail(Errc::too_large, "multibase: text is too long");
  const auto digits = digits_of(*alphabet, text);
  if (!digits) return fail(Errc::parse, "multibase: bad character");
  return change_radix(*digits, static_cast<uint32_t>(alphabet->digits.size()), 256);
}

std::string multibase_encode(Base base, ByteView bytes) {
  return static_cast<char>(base) + base_encode(base, bytes);
}

Result<MultibaseText> multibase_decode(std::string_view text) {
  if (text.empty()) return fail(Errc::parse, "multibase: empty");
  const Base base{text.front()};
  if (base != Base::identity && find(base) == nullptr) {
    return fail(Errc::unsupported, "multibase: unknown prefix character");
  }
  auto bytes = base_decode(base, text.substr(1));
  if (!bytes) return fail(std::move(bytes.error()));
  return MultibaseText{base, std::move(*bytes)};
}

}  // namespace ipnscast::sync
