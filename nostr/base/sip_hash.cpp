#include "ipnscast/nostr/base/sip_hash.h"

#include <bit>

#include "ipnscast/nostr/base/random.h"

namespace ipnscast {
namespace {

uint64_t read_little(const uint8_t* bytes) {
  uint64_t out = 0;
  std::memcpy(&out, bytes, sizeof(out));
  if constexpr (std::endian::native == std::endian::big) out = __builtin_bswap64(out);
  return out;
}

struct State {
  uint64_t v0, v1, v2, v3;

  template <int kRounds>
  void mix() {
    for (int i = 0; i < kRounds; ++i) {
      v0 += v1;
      v1 = std::rotl(v1, 13) ^ v0;
      v0 = std::rotl(v0, 32);
      v2 += v3;
      v3 = std::rotl(v3, 16) ^ v2;
      v0 += v3;
      v3 = std::rotl(v3, 21) ^ v0;
      v2 += v1;
      v1 = std::rotl(v1, 17) ^ v2;
      v2 = std::rotl(v2, 32);
    }
  }
};

template <int kOfWord, int kAtEnd>
uint64_t sip_hash(const SipKey& key, ByteView bytes) {
  State state{key.k0 ^ 0x736f6d6570736575, key.k1 ^ 0x646f72616e646f6d, key.k0 ^ 0x6c7967656e657261,
              key.k1 ^ 0x7465646279746573};
  const auto take = [&state](uint64_t word) {
    state.v3 ^= word;
    state.mix<kOfWord>();
    state.v0 ^= word;
  };
  size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) take(read_little(bytes.data() + at));
  std::array<uint8_t, 8> last{};
  for (size_t i = 0; at + i < bytes.size(); ++i) last[i] = bytes[at + i];
  last[7] = static_cast<uint8_t>(bytes.size());
  take(read_little(last.data()));
  state.v2 ^= 0xff;
  state.mix<kAtEnd>();
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

}  // namespace

SipKey SipKey::random() {
  std::array<uint8_t, 16> bytes;
  fill_random(bytes);
  return {read_little(bytes.data()), read_little(bytes.data() + 8)};
}

uint64_t sip_hash_1_3(const SipKey& key, ByteView bytes) { return sip_hash<1, 3>(key, bytes); }
uint64_t sip_hash_2_4(const SipKey& key, ByteView bytes) { return sip_hash<2, 4>(key, bytes); }

}  // namespace ipnscast
