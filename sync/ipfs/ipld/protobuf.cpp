#include "ipnscast/sync/ipfs/ipld/protobuf.h"

#include <vector>

#include "ipnscast/sync/ipfs/ipld/varint.h"

namespace ipnscast::sync {
namespace {

constexpr uint64_t kVarint = 0;
constexpr uint64_t kFixed64 = 1;
constexpr uint64_t kLengthDelimited = 2;
constexpr uint64_t kGroup = 3;
constexpr uint64_t kGroupEnd = 4;
constexpr uint64_t kFixed32 = 5;
constexpr uint64_t kMaxNumber = 0x1fffffff;

tl::unexpected<Error> cut_off() { return fail(Errc::parse, "protobuf: cut off"); }

Result<ByteView> take(ByteView& rest, uint64_t size) {
  if (size > rest.size()) return cut_off();
  const ByteView out = rest.first(static_cast<size_t>(size));
  rest = rest.subspan(static_cast<size_t>(size));
  return out;
}

// Of any width: zeros that a minimal varint would not have are let pass.
Result<uint64_t> take_wide_varint(ByteView& rest) {
  uint64_t value = 0;
  for (size_t i = 0; i < kMaxProtobufVarint; ++i) {
    if (i == rest.size()) return cut_off();
    if (i == 9 && rest[i] > 1) break;
    value |= uint64_t{rest[i] & 0x7fU} << (7 * i);
    if (rest[i] >= 0x80) continue;
    rest = rest.subspan(i + 1);
    return value;
  }
  return fail(Errc::parse, "protobuf: a number beyond 64 bits");
}

struct Tag {
  uint32_t number = 0;
  uint64_t wire_type = 0;
};

Result<Tag> take_tag(ByteView& rest) {
  const auto tag = take_wide_varint(rest);
  if (!tag) return fail(tag.error());
  if (*tag >> 3 == 0 || *tag >> 3 > kMaxNumber)
    return fail(Errc::parse, "protobuf: bad field number");
  return Tag{static_cast<uint32_t>(*tag >> 3), *tag & 7};
}

// Whatever the field with this tag holds. Groups within one another are counted, not descended
// into.
Status skip_field(Tag tag, ByteView& rest) {
  std::vector<uint32_t> groups;
  for (;;) {
    if (tag.wire_type == kGroup) {
      groups.push_back(tag.number);
    } else if (tag.wire_type == kGroupEnd) {
      if (groups.empty() || groups.back() != tag.number)
        return fail(Errc::parse, "protobuf: a group that has not begun ends");
      groups.pop_back();
    } else if (tag.wire_type == kFixed64 || tag.wire_type == kFixed32) {
      const auto number = take(rest, tag.wire_type == kFixed64 ? 8 : 4);
      if (!number) return fail(number.error());
    } else if (tag.wire_type == kVarint || tag.wire_type == kLengthDelimited) {
      const auto number = take_wide_varint(rest);
      if (!number) return fail(number.error());
      if (tag.wire_type == kLengthDelimited) {
        const auto bytes = take(rest, *number);
        if (!bytes) return fail(bytes.error());
      }
    } else {
      return fail(Errc::parse, "protobuf: unknown wire type");
    }
    if (groups.empty()) return {};
    const auto next = take_tag(rest);
    if (!next) return fail(next.error());
    tag = *next;
  }
}

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
  if (*tag >> 3 == 0 || *tag >> 3 > kMaxNumber)
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
  const auto bytes = take(rest, *value);
  if (!bytes) return fail(bytes.error());
  out.is_bytes = true;
  out.bytes = *bytes;
  return out;
}

Result<ProtobufField> take_field(ByteView& rest) {
  const auto tag = take_tag(rest);
  if (!tag) return fail(tag.error());
  ProtobufField out;
  out.number = tag->number;
  if (tag->wire_type != kVarint && tag->wire_type != kLengthDelimited) {
    out.is_other = true;
    if (Status skipped = skip_field(*tag, rest); !skipped) return fail(skipped.error());
    return out;
  }
  const auto value = take_wide_varint(rest);
  if (!value) return fail(value.error());
  out.value = *value;
  out.is_bytes = tag->wire_type == kLengthDelimited;
  if (!out.is_bytes) return out;
  const auto bytes = take(rest, *value);
  if (!bytes) return fail(bytes.error());
  out.bytes = *bytes;
  return out;
}

}  // namespace ipnscast::sync
