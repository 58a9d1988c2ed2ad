#include "sync/ipfs/car.h"

#include "sync/ipfs/dag_cbor.h"
#include "sync/ipfs/varint.h"

namespace ipnscast::sync {
namespace {

constexpr size_t kMaxCidBytes = 160;
constexpr size_t kMaxSection = kMaxBlockBytes + kMaxCidBytes;
constexpr size_t kMaxHeader = 1 << 20;

Result<std::vector<Cid>> read_header(ByteView bytes) {
  auto header = decode_dag_cbor(bytes, {.canonical = false});
  if (!header) return fail(header.error().within("car header"));
  const auto* map = header->as<CborMap>();
  if (map == nullptr) return fail(Errc::parse, "car header: no map");
  const auto* version = find_member(*map, "version");
  const auto* number = version != nullptr ? version->as<uint64_t>() : nullptr;
  if (number == nullptr) return fail(Errc::parse, "car header: no version");
  if (*number != 1)
    return fail(Errc::unsupported, "car: want version 1, not " + std::to_string(*number));
  const auto* roots = find_member(*map, "roots");
  const auto* list = roots != nullptr ? roots->as<CborList>() : nullptr;
  if (list == nullptr) return fail(Errc::parse, "car header: no roots");
  std::vector<Cid> out;
  for (const CborValue& root : *list) {
    const auto* cid = root.as<Cid>();
    if (cid == nullptr) return fail(Errc::parse, "car header: a root is no link");
    out.push_back(*cid);
  }
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
  if (failed_ && (!buffer_.empty() || wanted_ > 0))
    failed_ = fail(Errc::parse, "car: cut off inside a section");
  if (failed_ && !has_header_) failed_ = fail(Errc::parse, "car: no header");
  return failed_;
}

// Consumes a part of the chunk: one byte of a length, or what the section still lacks.
Status CarReader::take(ByteView& chunk) {
  if (wanted_ == 0) {
    buffer_.push_back(chunk.front());
    chunk = chunk.subspan(1);
    ++position_;
    if (buffer_.back() >= 0x80 && buffer_.size() < kMaxMultiformatsVarint) return {};
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
  const size_t size = std::min(chunk.size(), wanted_ - buffer_.size());
  const ByteView part = chunk.first(size);
  chunk = chunk.subspan(size);
  position_ += size;
  // What stands whole in a chunk is not copied.
  const bool whole = size == wanted_;
  if (!whole) {
    buffer_.reserve(wanted_);
    append(buffer_, part);
    if (buffer_.size() < wanted_) return {};
  }
  Status taken = take_section(whole ? part : ByteView(buffer_));
  buffer_.clear();
  wanted_ = 0;
  return taken;
}

Status CarReader::take_section(ByteView section) {
  if (!has_header_) {
    auto roots = read_header(section);
    if (!roots) return fail(std::move(roots.error()));
    roots_ = std::move(*roots);
    has_header_ = true;
    return {};
  }
  size_t used = 0;
  const auto cid = Cid::decode_prefix(section, used);
  if (!cid) return fail(cid.error().within("car"));
  const ByteView block = section.subspan(used);
  if (block.size() > kMaxBlockBytes) return fail(Errc::too_large, "car: block over 2 MiB");
  if (check_ == Check::verify) {
    Status checked = check_block(*cid, block);
    if (!checked) return checked;
  }
  ++block_count_;
  return on_block_({*cid, block, position_ - block.size()});
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
