#include "ipnscast/nostr/event/bech32.h"

namespace ipnscast::nostr {
namespace {

constexpr std::string_view kAlphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
constexpr size_t kChecksum = 6;

// The checksum's running state over 5-bit groups. BIP-173.
class Polymod {
 public:
  void add(uint8_t group) {
    const uint32_t top = state_ >> 25;
    state_ = ((state_ & 0x1ffffff) << 5) ^ group;
    for (size_t i = 0; i < std::size(kGenerator); ++i) {
      if (((top >> i) & 1) != 0) state_ ^= kGenerator[i];
    }
  }
  void add_prefix(std::string_view prefix) {
    for (const char c : prefix) add(static_cast<uint8_t>(c) >> 5);
    add(0);
    for (const char c : prefix) add(static_cast<uint8_t>(c) & 31);
  }
  uint32_t state() const { return state_; }

 private:
  static constexpr uint32_t kGenerator[] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
                                            0x2a1462b3};
  uint32_t state_ = 1;
};

// Packs 5-bit groups into bytes. False when the padding is a whole group or not zero.
bool pack(ByteView groups, Bytes& out) {
  uint32_t held = 0;
  int bits = 0;
  for (const uint8_t group : groups) {
    held = (held << 5) | group;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      out.push_back(static_cast<uint8_t>(held >> bits));
    }
    held &= (1u << bits) - 1;
  }
  return bits < 5 && held == 0;
}

}  // namespace

Result<Bech32> decode_bech32(std::string_view text, size_t max_size) {
  if (text.size() > max_size) return fail(Errc::too_large, "bech32: too long");
  std::string lower(text);
  bool any_lower = false;
  bool any_upper = false;
  for (char& c : lower) {
    if (c < 33 || c > 126) return fail(Errc::parse, "bech32: bad character");
    if (c >= 'a' && c <= 'z') any_lower = true;
    if (c >= 'A' && c <= 'Z') {
      any_upper = true;
      c = static_cast<char>(c + 32);
    }
  }
  if (any_lower && any_upper) return fail(Errc::parse, "bech32: mixed case");
  const size_t separator = lower.rfind('1');
  if (separator == std::string::npos || separator == 0 ||
      lower.size() - separator - 1 < kChecksum) {
    return fail(Errc::parse, "bech32: want prefix1data");
  }
  Bech32 out;
  out.prefix = lower.substr(0, separator);
  Polymod sum;
  sum.add_prefix(out.prefix);
  Bytes groups;
  for (const char c : std::string_view(lower).substr(separator + 1)) {
    const size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) return fail(Errc::parse, "bech32: bad character");
    groups.push_back(static_cast<uint8_t>(value));
    sum.add(groups.back());
  }
  if (sum.state() != 1) return fail(Errc::parse, "bech32: wrong checksum");
  if (!pack(ByteView(groups).first(groups.size() - kChecksum), out.data)) {
    return fail(Errc::parse, "bech32: stray bits at the end");
  }
  wipe(groups);
  return out;
}

std::string encode_bech32(std::string_view prefix, ByteView data) {
  std::string out(prefix);
  out += '1';
  Polymod sum;
  sum.add_prefix(prefix);
  const auto put = [&](uint32_t group) {
    out += kAlphabet[group];
    sum.add(static_cast<uint8_t>(group));
  };
  uint32_t held = 0;
  int bits = 0;
  for (const uint8_t byte : data) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      put((held >> bits) & 31);
    }
    held &= (1u << bits) - 1;
  }
  if (bits > 0) put((held << (5 - bits)) & 31);
  for (size_t i = 0; i < kChecksum; ++i) sum.add(0);
  const uint32_t checksum = sum.state() ^ 1;
  for (size_t i = 0; i < kChecksum; ++i) out += kAlphabet[(checksum >> (5 * (5 - i))) & 31];
  return out;
}

}  // namespace ipnscast::nostr
