#pragma once

#include "ipnscast/nostr/base/bytes.h"
#include "ipnscast/nostr/base/result.h"

namespace ipnscast::sync {

// Unsigned varints as multiformats and protobuf have them: seven bits a byte, lowest first.
inline constexpr size_t kMaxMultiformatsVarint = 9;  // 2^63 - 1
inline constexpr size_t kMaxProtobufVarint = 10;     // 2^64 - 1

void append_varint(Bytes& out, uint64_t value);

// Reads the front of `bytes`; `used` gets the number of bytes. Strict: minimal, at most
// `max_bytes`, below 2^64. Errc::parse.
Result<uint64_t> read_varint(ByteView bytes, size_t& used,
                             size_t max_bytes = kMaxMultiformatsVarint);

}  // namespace ipnscast::sync
