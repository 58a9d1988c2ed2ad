#pragma once

#include <cstdint>

#include "ipnscast/nostr/base/bytes.h"
#include "ipnscast/nostr/base/result.h"

namespace ipnscast::sync {

// Protobuf for the formats that name their bytes: writing in the order of the calls, a reader
// stricter than protobuf's rules (minimal varints, wire types 0 and 2 only), and one that reads
// what Go's library reads. UnixFS and keys are read with protozero.

void append_uint_field(Bytes& out, uint32_t field, uint64_t value);
void append_bytes_field(Bytes& out, uint32_t field, ByteView value);

struct ProtobufField {
  uint32_t number = 0;
  bool is_bytes = false;
  bool is_other = false;  // neither of both: its content was skipped
  uint64_t value = 0;     // of a varint field
  ByteView bytes;         // of a length-delimited field; points into the input
};

// Takes the next field off the front of `rest`. Errc::parse.
Result<ProtobufField> take_strict_field(ByteView& rest);

// The same with varints of any width, fixed numbers and groups; the last two come as `is_other`.
// Errc::parse for what Go's library refuses.
Result<ProtobufField> take_field(ByteView& rest);

}  // namespace ipnscast::sync
