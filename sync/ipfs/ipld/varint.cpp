#include "ipnscast/sync/ipfs/ipld/varint.h"

namespace ipnscast::sync {

void append_varint(Bytes& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<uint8_t>(value | 0x80));
  out.push_back(static_cast<uint8_t>(value));
}

Result<uint64_t> read_varint(ByteView bytes, size_t& used, size_t max_bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes.size() && i < max_bytes; ++i) {
    const uint64_t low = bytes[i] & 0x7f;
    if (i == 9 && low > 1) return fail(Errc::parse, "varint: beyond 64 bits");
    value |= low << (7 * i);
    if (bytes[i] < 0x80) {
      if (i > 0 && bytes[i] == 0) return fail(Errc::parse, "varint: not minimal");
      used = i + 1;
      return value;
    }
  }
  if (bytes.size() >= max_bytes) return fail(Errc::parse, "varint: too long");
  return fail(Errc::parse, "varint: cut off");
}

}  // namespace ipnscast::sync
