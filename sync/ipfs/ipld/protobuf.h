#pragma once

#include <cstdint>

#include "ipnscast/nostr/base/bytes.h"
#include "ipnscast/nostr/base/result.h"

namespace ipnscast::sync {

// Protobuf for the formats that name their bytes: writing in the order of the calls, and a reader
// stricter than protobuf's rules (minimal varints, wire types 0 and 2 only). Lenient formats are
// read with protozero.

void append_uint_field(Bytes& out, uint32_t field, uint64_t value);
void append_bytes_field(Bytes& out, uint32_t field, ByteView value);

struct ProtobufField {
  uint32_t number = 0;
  bool is_bytes = false;
  uint64_t value = 0;  // of a varint field
  ByteView bytes;      // of a length-delimited field; points into the input
};

// Takes the next field off the front of `rest`. Errc::parse.
Result<ProtobufField> take_strict_field(ByteView& rest);

}  // namespace ipnscast::sync
