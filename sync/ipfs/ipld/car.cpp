#include "ipnscast/sync/ipfs/ipld/car.h"

#include <algorithm>
#include <utility>

#include "ipnscast/sync/ipfs/ipld/dag_cbor.h"
#include "ipnscast/sync/ipfs/ipld/varint.h"

namespace ipnscast::sync {
namespace {

constexpr size_t kMaxCidBytes = 160;
constexpr size_t kMaxSection = kMaxBlockBytes + kMaxCidBytes;
constexpr size_t kMaxHeader = 1 << 20;

// Behind the header of a version 2: flags, where the version 1 inside begins and how long it is,
// and where the index begins. IPLD "CARv2".
constexpr size_t kCarV2Bytes = 40;

struct CarHeader {
  uint64_t version = 0;
  std::vector<Cid> roots;
};

Result<CarHeader> read_header(ByteView bytes) {
  auto header = decode_dag_cbor(bytes, {.canonical = false});
  if (!header) return fail(header.error().within("car header"));
  const auto* map = header->as<CborMap>();
  if (map == nullptr) return fail(Errc::parse, "car header: no map");
  const auto* version = find_member(*map, "version");
  const auto* number = version != nullptr ? version->as<uint64_t>() : nullptr;
  if (number == nullptr) return fail(Errc::parse, "car header: no version");
  if (*number == 2) return CarHeader{2, {}};
  if (*number != 1)
    return fail(Errc::unsupported, "car: want version 1 or 2, not " + std::to_string(*number));
  const auto* roots = find_member(*map, "roots");
  const auto* list = roots != nullptr ? roots->as<CborList>() : nullptr;
  if (list == nullptr) return fail(Errc::parse, "car header: no roots");
  CarHeader out{1, {}};
  for (const CborValue& root : *list) {
    const auto* cid = root.as<Cid>();
    if (cid == nullptr) return fail(Errc::parse, "car header: a root is no link");
    out.roots.push_back(*cid);
  }
  return out;
}

uint64_t little_endian(ByteView bytes) {
  uint64_t out = 0;
  for (size_t i = 8; i-- > 0;) out = out << 8 | bytes[i];
  return out;
}

}  // namespace

CarReader::CarReader(OnBlock on_block, Check check)
    : on_block_(std::move(on_block)), check_(check) {}

Status CarReader::feed(ByteView chunk) {
  while (failed_ && !chunk.empty()) failed_ = take(chunk);
  return failed_;
}

Status CarReader::finish() {
  const bool inside = !buffer_.empty() || wanted_ > 0;
  if (failed_ && (inside || skip_ > 0 || payload_left_.value_or(0) > 0))
    failed_ = fail(Errc::parse, "car: cut off inside a section");
  if (failed_ && !has_header_) failed_ = fail(Errc::parse, "car: no header");
  return failed_;
}

// Consumes a part of the chunk: one byte of a length, or what the header, the CID or the block
// still lacks.
Status CarReader::take(ByteView& chunk) {
  if (skip_ > 0 ||
      payload_left_ == uint64_t{0}) {  // before and behind the version 1 of a version 2
    const size_t size =
        skip_ > 0 ? static_cast<size_t>(std::min<uint64_t>(skip_, chunk.size())) : chunk.size();
    if (skip_ > 0) skip_ -= size;
    position_ += size;
    chunk = chunk.subspan(size);
    return {};
  }
  size_t most = 1;
  if (wanted_ > 0) {
    most = wanted_;
    if (has_header_ && !cid_) most = std::min(most, kMaxCidBytes - buffer_.size());
  }
  if (payload_left_) most = static_cast<size_t>(std::min<uint64_t>(most, *payload_left_));
  const ByteView part = chunk.first(std::min(chunk.size(), most));
  chunk = chunk.subspan(part.size());
  if (payload_left_) *payload_left_ -= part.size();
  position_ += part.size();
  if (wanted_ == 0) return take_length(part.front());
  wanted_ -= part.size();
  if (!has_header_) return take_header(part);
  return cid_ ? take_block(part) : take_cid(part);
}

Status CarReader::take_length(uint8_t byte) {
  buffer_.push_back(byte);
  if (byte >= 0x80 && buffer_.size() < kMaxMultiformatsVarint) return {};
  size_t used = 0;
  const auto length = read_varint(buffer_, used);
  if (!length) return fail(length.error().within("car"));
  if (*length == 0) return fail(Errc::parse, "car: empty section");
  if (*length > (has_header_ ? kMaxSection : kMaxHeader)) {
    return fail(Errc::too_large, "car: section of " + std::to_string(*length) + " bytes");
  }
  wanted_ = static_cast<size_t>(*length);
  buffer_.clear();
  return {};
}

Status CarReader::take_header(ByteView part) {
  append(buffer_, part);
  if (wanted_ > 0) return {};
  const Bytes bytes = std::exchange(buffer_, {});
  if (is_v2_) {
    const uint64_t offset = little_endian(ByteView(bytes).subspan(16));
    if (offset < position_)
      return fail(Errc::parse, "car: its content begins before its header ends");
    skip_ = offset - position_;
    payload_left_ = little_endian(ByteView(bytes).subspan(24));
    is_v2_ = false;
    return {};
  }
  auto header = read_header(bytes);
  if (!header) return fail(std::move(header.error()));
  if (header->version == 2) {
    if (payload_left_) return fail(Errc::parse, "car: a version 2 in a version 2");
    is_v2_ = true;
    wanted_ = kCarV2Bytes;
    return {};
  }
  roots_ = std::move(header->roots);
  has_header_ = true;
  return {};
}

// The CID's length shows only in itself: as much is collected as it can have, and what is left over
// begins the block.
Status CarReader::take_cid(ByteView part) {
  append(buffer_, part);
  if (wanted_ > 0 && buffer_.size() < kMaxCidBytes) return {};
  size_t used = 0;
  auto cid = Cid::decode_prefix(buffer_, used);
  if (!cid) return fail(cid.error().within("car"));
  const ByteView rest = ByteView(buffer_).subspan(used);
  const size_t size = rest.size() + wanted_;
  if (size > kMaxBlockBytes) return fail(Errc::too_large, "car: block over 2 MiB");
  cid_ = std::move(*cid);
  block_.reserve(size);
  Status taken = take_block(rest);
  buffer_.clear();
  return taken;
}

Status CarReader::take_block(ByteView part) {
  append(block_, part);
  if (wanted_ > 0) return {};
  const Cid cid = std::move(*cid_);
  cid_.reset();
  Bytes block = std::exchange(block_, {});
  if (check_ == Check::verify) {
    if (Status checked = check_block(cid, block); !checked) return checked;
  }
  ++block_count_;
  const uint64_t offset = position_ - block.size();
  return on_block_({cid, block, offset});
}

Bytes car_header(const std::vector<Cid>& roots) {
  CborList list;
  for (const Cid& root : roots) list.push_back({root});
  const Bytes header =
      encode_dag_cbor({CborMap{{"roots", {std::move(list)}}, {"version", {uint64_t{1}}}}});
  Bytes out;
  append_varint(out, header.size());
  append(out, header);
  return out;
}

void append_car_section(Bytes& out, const Cid& cid, ByteView block) {
  const Bytes key = cid.encode();
  append_varint(out, key.size() + block.size());
  append(out, key);
  append(out, block);
}

}  // namespace ipnscast::sync
