#include "ipnscast/sync/ipfs/ipld/protobuf.h"

#include "ipnscast/sync/ipfs/ipld/varint.h"

namespace ipnscast::sync {
namespace {

constexpr uint64_t kVarint = 0;
constexpr uint64_t kLengthDelimited = 2;

}  // namespace

void append_uint_field(Bytes& out, uint32_t field, uint64_t value) {
  append_varint(out, uint64_t{field} << 3 | kVarint);
  append_varint(out, value);
}

void append_bytes_field(Bytes& out, uint32_t field, ByteView value) {
  append_varint(out, uint64_t{field} << 3 | kLengthDelimited);
  append_varint(out, value.size());
  append(out, value);
}

Result<ProtobufField> take_strict_field(ByteView& rest) {
  size_t used = 0;
  const auto tag = read_varint(rest, used, kMaxProtobufVarint);
  if (!tag) return fail(tag.error());
  rest = rest.subspan(used);
  if (*tag >> 3 == 0 || *tag >> 3 > 0x1fffffff)
    return fail(Errc::parse, "protobuf: bad field number");
  ProtobufField out;
  out.number = static_cast<uint32_t>(*tag >> 3);
  if ((*tag & 7) != kVarint && (*tag & 7) != kLengthDelimited) {
    return fail(Errc::parse, "protobuf: unexpected wire type");
  }
  const auto value = read_varint(rest, used, kMaxProtobufVarint);
  if (!value) return fail(value.error());
  rest = rest.subspan(used);
  if ((*tag & 7) == kVarint) {
    out.value = *value;
    return out;
  }
  if (*value > rest.size()) return fail(Errc::parse, "protobuf: cut off");
  out.is_bytes = true;
  out.bytes = rest.first(static_cast<size_t>(*value));
  rest = rest.subspan(static_cast<size_t>(*value));
  return out;
}

}  // namespace ipnscast::sync
