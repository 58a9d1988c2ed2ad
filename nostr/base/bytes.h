#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ipnscast {

using Bytes = std::vector<uint8_t>;
using ByteView = std::span<const uint8_t>;

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes to_bytes(ByteView view) { return {view.begin(), view.end()}; }
inline Bytes to_bytes(std::string_view text) { return to_bytes(as_bytes(text)); }
inline void append(Bytes& out, ByteView more) { out.insert(out.end(), more.begin(), more.end()); }

// Compares in a time that depends on the lengths only. For MACs and tokens.
bool equal_constant_time(ByteView a, ByteView b);

// Overwrites memory in a way that the compiler keeps.
void wipe(std::span<uint8_t> bytes);

// N bytes with a meaning of their own: FixedBytes<32, struct EventIdTag> is no public key.
template <size_t N, typename Tag>
struct FixedBytes {
  static constexpr size_t kSize = N;
  std::array<uint8_t, N> bytes{};

  // Want exactly N bytes; the caller has checked.
  static FixedBytes from(ByteView view) {
    FixedBytes out;
    std::copy_n(view.begin(), std::min(view.size(), N), out.bytes.begin());
    return out;
  }
  ByteView view() const { return bytes; }
  bool is_zero() const {
    return std::all_of(bytes.begin(), bytes.end(), [](uint8_t b) { return b == 0; });
  }
  auto operator<=>(const FixedBytes&) const = default;
};

}  // namespace ipnscast

// The bytes are digests or keys in all our uses, so their first eight are hash enough. Tables that
// hold these are bounded, which also bounds what a ground prefix could cost.
template <size_t N, typename Tag>
struct std::hash<ipnscast::FixedBytes<N, Tag>> {
  size_t operator()(const ipnscast::FixedBytes<N, Tag>& value) const noexcept {
    static_assert(N >= sizeof(size_t));
    size_t out = 0;
    std::memcpy(&out, value.bytes.data(), sizeof(out));
    return out;
  }
};
