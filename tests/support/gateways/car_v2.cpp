#include "ipnscast/tests/support/gateways/car_v2.h"

#include "ipnscast/nostr/base/hex.h"

namespace ipnscast::test {

Bytes car_v2(ByteView inner, uint64_t offset, uint64_t size) {
  Bytes out = *from_hex("0aa16776657273696f6e02");
  const auto add = [&](uint64_t number) {
    for (int i = 0; i < 8; ++i, number >>= 8) out.push_back(static_cast<uint8_t>(number));
  };
  add(0);
  add(0);
  add(offset);
  add(size);
  add(offset + size);
  while (out.size() < offset) out.push_back(0xee);
  append(out, inner);
  append(out, Bytes(50, 0xdd));
  return out;
}

}  // namespace ipnscast::test
